"""Columns under the names used here: by the study's `columns:`, by known aliases, and their values by `values:`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from facility_coverage.config.study import FacilityTable
from facility_coverage.errors import Fault
from facility_coverage.layers.contracts import SourceTable, as_text, missing_column, raise_faults
from facility_coverage.layers.names import plain, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from facility_coverage.config.study import Table

SHOWN_VALUES = 8

ALIASES: Mapping[str, tuple[str, ...]] = {
    "zone_id": ("code", "代码", "编码", "区划代码", "行政区划代码", "镇街代码", "街道代码", "乡镇代码", "XZQDM"),
    "facility_id": ("ID", "code", "编号", "编码", "代码", "机构编号", "机构代码", "设施编号", "设施代码", "站点编号"),
    "name": ("名称", "机构名称", "设施名称", "单位名称", "站点名称"),
    "area_type": ("城乡", "城乡分类", "城乡类型", "城乡属性"),
    "tier": ("level", "级别", "等级", "层级", "机构级别", "设施级别"),
    "beds": ("床位", "床位数", "总床位", "总床位数", "床位总数", "养老床位", "养老床位数"),
    "nursing_beds": ("护理型床位", "护理型床位数", "护理床位", "护理床位数"),
    "slots": ("托位", "托位数", "托位总数", "总托位数"),
    "seats": ("学位", "学位数"),
    "staff": ("人员", "工作人员", "职工人数", "从业人员", "工作人员数", "从业人员数"),
    "lon": ("lng", "long", "longitude", "经度"),
    "lat": ("latitude", "纬度"),
    "x": (),
    "y": (),
    "opened": ("启用年份", "启用时间", "启用日期", "开业时间", "开业年份", "建成年份", "建成时间", "投用时间"),
    "closed": ("停用年份", "停用时间", "停用日期", "关闭时间", "撤销时间"),
    "area_id": ("片区代码", "片区编号", "小区编号", "小区代码"),
    "indicator": ("指标", "指标名称", "指标代码"),
    "year": ("年份", "年度"),
    "value": ("数值", "值", "指标值"),
    "source": ("来源", "数据来源"),
    "district_id": ("区县代码", "区划代码_区县", "县区代码"),
    "address": ("addr", "地址", "详细地址", "机构地址", "设施地址", "所在地址"),
    "total": ("population", "人口", "总人口", "人口数", "总人口数", "人口总数", "常住人口", "常住人口数"),
}
"""Other names of our columns. 横坐标, X坐标 and the like are not here: surveyors count X northwards."""

ZONE_NAMES = ("镇街", "镇街名称", "街道名称", "乡镇名称", "行政区名称", "XZQMC")
"""More names of `name`, but only of zones: in a table of facilities they say where those are."""

OPTIONAL = ("address", "opened", "closed")
"""Columns of facilities that are used where the file has them."""

POINT_COLUMNS = ("lon", "lat", "x", "y")

_WANTED: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone_id", "name", "area_type"),
    "facilities": ("facility_id", "name"),
    "population": ("total",),
    "neighbours": ("name",),
}


def wanted_columns(table: Table, *, role: str, more: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the columns that a layer needs, each with its aliases; no other column is renamed unasked.

    Parameters
    ----------
    table
        The layer; one of facilities needs its capacities, and `tier` where it has tiers.
    role
        What it is for.
    more
        Further columns that the caller looks for.
    """
    own: tuple[str, ...] = ()
    if isinstance(table, FacilityTable):
        own = (*(["tier"] if table.tiers else []), *table.capacity, *table.attributes, *OPTIONAL)
    wanted = {name: ALIASES.get(name, ()) for name in (*_WANTED.get(role, ()), *own, *more, *POINT_COLUMNS)}
    if role in {"zones", "neighbours"}:
        wanted["name"] += ZONE_NAMES
    return wanted


def known_names(table: Table, wanted: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the names by which a heading row is recognised, as `names.plain` gives them."""
    theirs = (*table.columns, *table.where, *table.values)  # noqa: PD011 - a key of the study, no array
    ours = {name: aliases for name, aliases in wanted.items() if name not in {"x", "y"}}  # too short to tell
    return frozenset(map(plain, (*ours, *theirs, *(alias for aliases in ours.values() for alias in aliases))))


def find_column(name: str, present: Iterable[object]) -> str | None:
    """Return the column of this name, or the only one that differs in width, spaces, capitals or unit alone.

    Examples
    --------
    >>> find_column("床位数", ["名称", "床 位 数（张）"])
    '床 位 数（张）'
    """
    names = [str(column) for column in present]
    if name in names:
        return name
    alike = [column for column in names if plain(column) == plain(name)]
    return alike[0] if len(alike) == 1 else None


def name_columns(
    frame: pd.DataFrame, table: Table, *, wanted: Mapping[str, Sequence[str]], file: str
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the frame with our names and constants, and the aliases used.

    Parameters
    ----------
    frame
        Columns as the file names them.
    table
        `columns` and `constants` of the study; both win over aliases.
    wanted
        Our names that may be found by an alias, from `wanted_columns`; longitudes and the like only of plain frames.
    file
        Named in faults.

    Raises
    ------
    LayerError
        If a column is missing, two are to have one name, or a unit in brackets is not a single one.
    """
    explicit = {theirs: find_column(theirs, frame.columns) for theirs in table.columns}
    faults = [missing_column(file, name, frame.columns) for name, found in explicit.items() if found is None]
    renamed = {found: table.columns[name] for name, found in explicit.items() if found is not None}
    targets = list(table.columns.values())
    twice = sorted({ours for ours in targets if targets.count(ours) > 1})
    faults += [Fault(file, f"two columns are to be called {name!r}", advice="see `columns:`") for name in twice]
    free = [str(column) for column in frame.columns if column not in renamed]
    settled = {*targets, *table.constants, *free}
    for ours, known in wanted.items():
        if ours not in settled and not (ours in POINT_COLUMNS and "geometry" in frame.columns):
            named, found_faults = _by_alias(ours, known, free, file)
            renamed |= named
            faults += found_faults
    faults += _scaled(renamed, file)
    raise_faults(faults)
    changed = {theirs: ours for theirs, ours in renamed.items() if theirs != ours}
    # A column that already has one of our names makes way for the one the study names.
    frame = frame.drop(columns=[ours for ours in changed.values() if ours in frame.columns and ours not in changed])
    aliases = {theirs: ours for theirs, ours in changed.items() if ours not in targets}
    return frame.rename(columns=changed).assign(**dict(table.constants)), aliases


def _by_alias(ours: str, aliases: Sequence[str], free: list[str], file: str) -> tuple[dict[str, str], list[Fault]]:
    known = {plain(alias) for alias in (ours, *aliases)}
    alike = [column for column in free if plain(column) in known or _plain_but_scaled(column) in known]
    if len(alike) < 2:
        return dict.fromkeys(alike, ours), []
    listed = " and ".join(map(repr, alike))
    advice = f"name one under `columns:`, e.g. {{{alike[0]}: {ours}}}"
    return {}, [Fault(file, f"columns {listed} could both be {ours!r}", advice=advice)]


def _plain_but_scaled(column: str) -> str:
    """Return the name without a unit such as 万人, so that this column is refused and not overlooked."""
    return plain(column).removesuffix(f"({scale_of(column)})") if scale_of(column) else plain(column)


def _scaled(renamed: Mapping[str, str], file: str) -> list[Fault]:
    return [
        Fault(
            file, f"is in {scale_of(theirs)}", column=theirs, advice="give single units: nothing is multiplied unasked"
        )
        for theirs in renamed
        if scale_of(theirs)
    ]


def map_values(
    source: SourceTable, table: Table, *, choices: Mapping[str, Sequence[str]]
) -> tuple[SourceTable, list[Fault]]:
    """Return the table with its categories under the words used here, and the faults of values without one.

    Parameters
    ----------
    source
        Columns under our names.
    table
        `values` of the study: {column: {value of the file: value used here}}.
    choices
        Values of a column that need no mapping, e.g. `area_type`: urban and rural.

    Returns
    -------
    source
        A new table where something was mapped.
    faults
        Of missing columns and of values neither mapped nor valid; empty ones are left to later checks.
    """
    frame = source.frame
    faults: list[Fault] = []
    mapped = {}
    for name, words in table.values.items():  # noqa: PD011 - a key of the study, no array
        column = find_column(table.columns.get(name, name), frame.columns)
        if column is None:
            faults.append(missing_column(source.file, name, frame.columns))
            continue
        text = as_text(frame[column])
        spelling = pd.Series(pd.unique(text), dtype=object)
        by_plain = {plain(theirs): ours for theirs, ours in words.items()}
        valid = {*words.values(), *choices.get(column, ()), ""}
        meant = {t: words.get(t, t if t in valid else by_plain.get(plain(t))) for t in spelling}
        unknown = text.isin([theirs for theirs, ours in meant.items() if ours is None])
        faults += source.fault_rows(unknown, _not_mapped(words, valid), column=column, advice=_there_is(text, name))
        mapped[column] = text.map(meant)
    return (replace(source, frame=frame.assign(**mapped)) if mapped else source), faults


def _not_mapped(words: Mapping[str, str], valid: Iterable[str]) -> str:
    return f"{{}} is none of {', '.join(map(repr, (*words, *sorted(set(valid) - {''}))))}"


def _there_is(text: pd.Series, name: str) -> str:
    counted = text[text != ""].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{value!r} ({count})" for value, count in counted.iloc[:SHOWN_VALUES].items())
    more = f" and {len(counted) - SHOWN_VALUES} others" if len(counted) > SHOWN_VALUES else ""
    return f"map it under `values: {{{name}: …}}`; the column holds {listed}{more}"
