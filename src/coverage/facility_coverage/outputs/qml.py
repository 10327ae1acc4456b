"""Styles of QGIS as XML: symbols, rules and labels. Text is escaped by the XML library, never by hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from facility_coverage.outputs import palette
from facility_coverage.outputs.plain_text import visible

Geometry = Literal["fill", "marker"]

_LAYER_CLASS = {"fill": "SimpleFill", "marker": "SimpleMarker"}
_SHAPES = {"cross": "cross_fill"}


@dataclass(frozen=True)
class Symbol:
    """How a place is drawn.

    Attributes
    ----------
    geometry
        ``fill`` for areas, ``marker`` for points.
    colour, opacity
        Of the inside; 0 draws the outline alone.
    outline, width_mm
        Colour and width of the line around it.
    shape, size_mm, size_expression
        Of markers: a shape of `palette.SHAPES`, and its size, or an expression for the size of each.
    hatched
        Whether lines run through the area, so that no colour has to say that there is no data.
    """

    geometry: Geometry
    colour: str
    opacity: float = 1.0
    outline: str = palette.PAPER
    width_mm: float = 0.2
    shape: str = "circle"
    size_mm: float = 2.0
    size_expression: str = ""
    hatched: bool = False


@dataclass(frozen=True)
class Rule:
    """One entry of the legend: what a filter lets through is drawn with a symbol; without a symbol it is a heading."""

    label: str
    symbol: Symbol | None = None
    filter: str = ""
    rules: tuple[Rule, ...] = ()
    shown: bool = True


@dataclass(frozen=True)
class Labels:
    """Names on the map: the column they stand in, and the smallest scale at which they show (0: every scale)."""

    column: str
    size_pt: float
    from_scale: int = 0
    bold: bool = False
    around: bool = False


def quoted(column: str) -> str:
    """Return a column for an expression.

    Examples
    --------
    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + column.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text for an expression.

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def style(rules: Sequence[Rule], labels: Labels | None = None) -> str:
    """Return the style of a layer: rules in order, and names."""
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology|Labeling")
    root.set("labelsEnabled", str(int(labels is not None)))
    renderer = ET.SubElement(
        root, "renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0", enableorderby="0"
    )
    top = ET.SubElement(renderer, "rules", key="root")
    symbols: list[Symbol] = []
    _add_rules(top, rules, symbols)
    drawn = ET.SubElement(renderer, "symbols")
    for number, symbol in enumerate(symbols):
        _add_symbol(drawn, symbol, str(number))
    if labels is not None:
        _add_labels(root, labels)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")


def _add_rules(parent: ET.Element, rules: Sequence[Rule], symbols: list[Symbol]) -> None:
    for number, rule in enumerate(rules):
        key = f"{parent.get('key')}-{number}"
        element = ET.SubElement(parent, "rule", key=key, label=visible(rule.label))
        if rule.filter:
            element.set("filter", rule.filter)
        if not rule.shown:
            element.set("checkstate", "0")
        if rule.symbol is not None:
            element.set("symbol", str(len(symbols)))
            symbols.append(rule.symbol)
        _add_rules(element, rule.rules, symbols)


def _add_symbol(parent: ET.Element, symbol: Symbol, name: str) -> None:
    element = ET.SubElement(
        parent, "symbol", name=name, type=symbol.geometry, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    layer = _add_symbol_layer(element, _LAYER_CLASS[symbol.geometry], _look(symbol))
    if symbol.size_expression:
        _add_size(layer, symbol.size_expression)
    if symbol.hatched:
        lines = {"angle": "45", "distance": "1.6", "distance_unit": "MM", "color": _rgba(palette.MUTED)}
        hatch = _add_symbol_layer(element, "LinePatternFill", lines)
        inner = ET.SubElement(
            hatch, "symbol", name=f"@{name}@1", type="line", alpha="1", clip_to_extent="1", force_rhr="0"
        )
        line = {"line_color": _rgba(palette.MUTED), "line_width": "0.15", "line_width_unit": "MM"}
        _add_symbol_layer(inner, "SimpleLine", line)


def _look(symbol: Symbol) -> dict[str, str]:
    """Return what QGIS knows a symbol by."""
    look = {
        "color": _rgba(symbol.colour, symbol.opacity), "style": "solid" if symbol.opacity else "no",
        "outline_color": _rgba(symbol.outline), "outline_style": "solid" if symbol.width_mm else "no",
        "outline_width": f"{symbol.width_mm:g}", "outline_width_unit": "MM", "joinstyle": "round",
    }  # fmt: skip
    if symbol.geometry == "fill":
        return look
    shape = _SHAPES.get(symbol.shape, symbol.shape)
    return {**look, "name": shape, "size": f"{symbol.size_mm:g}", "size_unit": "MM", "scale_method": "diameter"}


def _add_symbol_layer(parent: ET.Element, kind: str, look: Mapping[str, str]) -> ET.Element:
    element = ET.SubElement(parent, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    # QGIS 3.18 and later read the options, earlier ones the props.
    options = ET.SubElement(element, "Option", type="Map")
    for key, value in sorted(look.items()):
        ET.SubElement(options, "Option", name=key, type="QString", value=value)
        ET.SubElement(element, "prop", k=key, v=value)
    return element


def _add_size(layer: ET.Element, expression: str) -> None:
    """Let an expression say how large each marker is."""
    options = ET.SubElement(ET.SubElement(layer, "data_defined_properties"), "Option", type="Map")
    ET.SubElement(options, "Option", name="name", type="QString", value="")
    properties = ET.SubElement(options, "Option", name="properties", type="Map")
    size = ET.SubElement(properties, "Option", name="size", type="Map")
    ET.SubElement(size, "Option", name="active", type="bool", value="true")
    ET.SubElement(size, "Option", name="expression", type="QString", value=expression)
    ET.SubElement(size, "Option", name="type", type="int", value="3")
    ET.SubElement(options, "Option", name="type", type="QString", value="collection")


def _add_labels(root: ET.Element, labels: Labels) -> None:
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings", calloutType="simple")
    text = ET.SubElement(
        settings, "text-style", fieldName=labels.column, isExpression="0", fontSize=f"{labels.size_pt:g}",
        fontSizeUnit="Point", fontWeight="75" if labels.bold else "50", textColor=_rgba(palette.INK), textOpacity="1",
    )  # fmt: skip
    ET.SubElement(
        text, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferOpacity="1",
        bufferColor=_rgba(palette.PAPER), bufferJoinStyle="128",
    )  # fmt: skip
    # Over the middle of an area, which must not keep the names of what lies in it away; around a point.
    ET.SubElement(settings, "placement", placement="6" if labels.around else "1", dist="1", distUnits="MM")
    ET.SubElement(
        settings, "rendering", drawLabels="1", displayAll="0", obstacle=str(int(labels.around)),
        scaleVisibility=str(int(labels.from_scale > 0)), scaleMin="0", scaleMax=str(labels.from_scale),
    )  # fmt: skip


def _rgba(colour: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"
