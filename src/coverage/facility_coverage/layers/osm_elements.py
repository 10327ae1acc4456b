"""Elements of OpenStreetMap from Overpass: joined, checked, and written as an extract that our reader takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import osmium
from osmium.osm.mutable import Node, Relation, Way

from facility_coverage.errors import Fault, LayerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_LONGEST_TEXT = 255
_MEMBERS = {"node": "n", "way": "w", "relation": "r"}


@dataclass(frozen=True)
class Elements:
    """Elements by id.

    Attributes
    ----------
    nodes
        Id → longitude, latitude, tags.
    ways
        Id → ids of the nodes, tags.
    relations
        Id → members (type, id, role), tags.
    timestamps
        When the data of each answer were up to date, as the server says, oldest first.
    """

    nodes: dict[int, tuple[float, float, Mapping[str, str]]] = field(default_factory=dict)
    ways: dict[int, tuple[list[int], Mapping[str, str]]] = field(default_factory=dict)
    relations: dict[int, tuple[list[tuple[str, int, str]], Mapping[str, str]]] = field(default_factory=dict)
    timestamps: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each type."""
        return {"nodes": len(self.nodes), "ways": len(self.ways), "relations": len(self.relations)}


def joined(answers: Iterable[Mapping[str, Any]], *, url: str) -> Elements:
    """Return the elements of several answers; of an element that is in several, the newest.

    Parameters
    ----------
    answers
        As Overpass sends them.
    url
        The server, for faults.

    Raises
    ------
    LayerError
        If an element is not one of OpenStreetMap's.
    """
    ordered = sorted(answers, key=_timestamp)
    elements = Elements(timestamps=tuple(stamp for stamp in map(_timestamp, ordered) if stamp))
    for answer in ordered:
        for raw in answer["elements"]:
            try:
                _add(raw, elements)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                message = f"sends an element that is none of OpenStreetMap's: {_named(raw)}"
                advice = "check --overpass-url, or ask again with --refresh"
                raise LayerError([Fault(url, message, advice=advice)]) from None
    return elements


def _timestamp(answer: Mapping[str, Any]) -> str:
    about = answer.get("osm3s")
    stamp = about.get("timestamp_osm_base") if isinstance(about, dict) else None
    return clean(stamp)[:30] if isinstance(stamp, str) else ""


def _named(raw: object) -> str:
    if not isinstance(raw, dict):
        return repr(raw)[:60]
    return f"{str(raw.get('type'))[:20]} {str(raw.get('id'))[:20]}"


def _add(raw: dict[str, Any], elements: Elements) -> None:
    """Add an element as the server sent it.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, OverflowError
        If something is missing or of another kind.
    """
    number, tags = _id(raw["id"]), _tags(raw.get("tags", {}))
    if raw["type"] == "node":
        lon, lat = float(raw["lon"]), float(raw["lat"])
        if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
            raise ValueError
        # The same node comes with tags where it is asked for, and where a way needs it: both are alike.
        elements.nodes[number] = (lon, lat, tags)
    elif raw["type"] == "way":
        elements.ways[number] = ([_id(ref) for ref in raw.get("nodes", [])], tags)
    elif raw["type"] == "relation":
        members = [(_MEMBERS[one["type"]], _id(one["ref"]), clean(one["role"])) for one in raw.get("members", [])]
        elements.relations[number] = (members, tags)
    else:
        raise ValueError


def _id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**62:
        raise TypeError
    return value


def _tags(raw: dict[str, str]) -> dict[str, str]:
    tags = {clean(key): clean(value) for key, value in raw.items()}
    if any(max(len(key), len(value)) > _LONGEST_TEXT for key, value in tags.items()):
        raise ValueError
    return tags


def clean(text: str) -> str:
    r"""Return a text on one line, without characters that steer terminals or end strings.

    Examples
    --------
    >>> clean("养老\nstation\0")
    '养老 station '
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " for one in text)


def merged(parts: Iterable[Elements]) -> Elements:
    """Return the elements of all parts."""
    total = Elements()
    for part in parts:
        total.nodes.update(part.nodes)
        total.ways.update(part.ways)
        total.relations.update(part.relations)
    return total


def write_extract(elements: Elements, file: Path) -> None:
    """Write elements as .osm.pbf, sorted as extracts are; ids, tags and positions stay what they are."""
    with osmium.SimpleWriter(str(file)) as out:
        for number, (lon, lat, tags) in sorted(elements.nodes.items()):
            out.add_node(Node(id=number, location=(lon, lat), tags=dict(tags)))
        for number, (refs, tags) in sorted(elements.ways.items()):
            out.add_way(Way(id=number, nodes=refs, tags=dict(tags)))
        for number, (members, tags) in sorted(elements.relations.items()):
            out.add_relation(Relation(id=number, members=members, tags=dict(tags)))
