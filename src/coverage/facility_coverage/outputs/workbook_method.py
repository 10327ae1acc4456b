"""The method sheet of the workbook: how its figures come about, in plain sentences."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping

from facility_coverage.config.people import Group
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs.panels import cutoff_text, group_names
from facility_coverage.outputs.sheets import Column, Sheet
from facility_coverage.outputs.workbook_texts import word

_TOPICS: dict[str, tuple[str, str]] = {
    "study": ("研究", "Study"),
    "date": ("数据时点", "Data as of"),
    "notice": ("提示", "Notice"),
    "attribution": ("数据来源", "Data sources"),
    "layer": ("设施类型：{}", "Facilities: {}"),
    "people": ("人口", "People"),
    "raster": ("人口栅格", "a raster of people"),
    "points": ("人口点", "points of people"),
    "polygons": ("人口多边形", "polygons of people"),
    "group": ("人群：{}", "Group: {}"),
    "files": ("输入文件", "Input files"),
    "version": ("程序版本", "Version"),
    "run": ("运行标识", "Run"),
}
#: What holds for every study, in the order in which a reader meets it.
_RULES: dict[tuple[str, str], tuple[str, str]] = {
    ("可达", "Covered"): (
        "沿路网从住处走（或驾车）到最近的设施，含两端离路的一段，时间不超过阈值（含等于），即为可达；不以直线距离画圆代替。",
        "A person is covered whose way along the network to the nearest facility, with both access legs, takes no "
        "longer than the cutoff; circles are not drawn instead.",
    ),
    ("可达率", "Share covered"): (
        "可达人数除以该人群人数；该镇街没有这一人群时为空。人数由人口格网推算，可带小数，显示时取整。",
        "People covered ÷ people of the group; empty where nobody of the group lives. People are shared out from a "
        "raster and need not be whole numbers; cells show them rounded.",
    ),
    ("未可达人口", "Gaps"): (
        "各镇街、各类设施的服务对象中未可达的人数，从多到少排列。可达只说明走得到，不说明有空余床位或名额。",
        "People of each layer's own group who are not covered, most first. Covered does not say that a bed is free.",
    ),
    ("盲区与对策", "Gaps and remedies"): (
        "未可达的人按镇街与原因聚成居民点；原因是去掉它重新计算后即可达的那一个。对策的可增加人数是加上该对策后重新计算的结果；"
        "造价为相对值，由研究设定；最省指每增加一人造价最低。",
        "People left out are gathered by zone and cause; the cause is that without which, computed anew, they would be "
        "in time. People gained are those that computing anew with the remedy gains; prices are relative, as the study "
        "sets them; the cheapest has the lowest price for each person gained.",
    ),
    ("容量", "Capacity"): (
        "按人均需要量与设施容量，在阈值内最多能服务多少人（最大流；同样多时总路程最短）。可服务、可达但无余量、未可达三者之和为人口。"
        "未填容量的设施不计；研究范围以外的人口不参与竞争。",
        "The largest number of people whom facilities can serve within the cutoff and within capacity, at the stated "
        "need per person (a maximum flow; among equals, the one with the least travel). Served, no capacity left and "
        "left out add up to the population. Facilities that do not tell their capacity serve nobody here; people "
        "beyond the study do not compete.",
    ),
    ("目标判定", "Verdicts"): (
        "现状值与规划目标比较，不先四舍五入。达到：已满足目标；按进度：未满足，但不低于从基期到目标的直线；滞后：低于该直线或已到期；"
        "无数据：本研究算不出；仅监测：规划未定数值。",
        "Figures are compared with targets as they are, not rounded. Met: the target is reached; on track: not yet, "
        "but no worse than the line from baseline to target; behind: worse than that, or due; no data: this study "
        "cannot tell; no target: the plan sets no figure.",
    ),
    ("小数位", "Decimals"): (
        "单元格存放未舍入的数值；显示位数取到看得出在目标哪一侧为止，59.96% 不会显示成 60.0%。",
        "Cells hold figures that are not rounded, and show as many decimals as tell the side of the target: 59.96% is "
        "never shown as 60.0%.",
    ),
    ("空单元格", "Empty cells"): (
        "没有数据，不是 0。「镇街目标」中没有底色的数值不作判定：该目标只对全域评价，或规划未定数值。",
        "There is no data; it does not mean 0. A figure without a colour among the goals by zone is not judged: the "
        "goal is for the whole area, or sets no figure.",
    ),
    ("服务范围", "Catchments"): (
        "在阈值内能到达某一设施的全部人口；一人可在几处设施的范围内，各处人数不能相加。",
        "Everybody within their cutoff of a facility; one person may be in several catchments, which do not add up.",
    ),
    ("公平", "Equity"): (
        "可及性按两步移动搜索法：每处设施的容量（无容量的类型每处计 1）除以阈值内竞争它的人口（该设施类型的服务对象），"
        "再对每人可达的设施求和，按每千人表示；可达不到任何设施的为 0。基尼系数：0 为人人相同，越近 1 越不均。"
        "帕尔马式比值：可及性最高的一成人口所得，除以最低的四成所得；人人相同时为 0.25；四成人口一无所得时没有比值。"
        "最差一成：可及性最低的十分之一人口；可及性相同而不能全部算入时，各处按同一比例算入。",
        "Accessibility is that of two-step floating catchment areas: each facility's capacity (or 1, where a layer has "
        "no capacity) over the people within reach who compete for it (whom the layer is for), added up over the "
        "facilities within a person's reach, for every thousand people; 0 where none is. Gini: 0 where all have the "
        "same, the nearer 1 the less even. Palma-like ratio: what the best-served tenth of people have over what the "
        "worst-served four tenths have; 0.25 where all have the same, none where the four tenths have nothing. "
        "Worst-served tenth: those with least; where equals cannot all belong, the same part of each place does.",
    ),
    ("不可见字符", "Characters"): (
        "输入文字中看不见的字符以 [U+…] 写出；超过 32,767 字的文字以 … 截断。文字一律不作公式或链接。",
        "Characters of the input that cannot be seen are spelled out as [U+…], and text beyond 32,767 characters is "
        "cut with …. No text is a formula or a link.",
    ),
}  # fmt: skip


def method(config: StudyConfig, profiles: Mapping[str, Profile], *, identity: str, lang: Lang) -> Sheet:
    """Return the sheet: a topic and a sentence in each row."""
    version = importlib.metadata.version("facility-coverage")
    which = 0 if lang == "zh" else 1
    rows = [
        *_of_study(config, lang),
        *_of_layers(config, profiles, lang),
        *_of_people(config, lang),
        *((topic[which], sentence[which]) for topic, sentence in _RULES.items()),
        (_topic("files", lang), ", ".join(_files(config))),
        (_topic("version", lang), f"facility-coverage {version}"),
        (_topic("run", lang), identity),
    ]
    headings = (word(key, lang) for key in ("topic", "explanation"))
    columns = [Column(heading, [row[i] for row in rows]) for i, heading in enumerate(headings)]
    return Sheet(word("sheet_method", lang), columns, widths=(24, 110))


def _topic(key: str, lang: Lang) -> str:
    return _TOPICS[key][0 if lang == "zh" else 1]


def _of_study(config: StudyConfig, lang: Lang) -> Iterator[tuple[str, str]]:
    yield _topic("study", lang), config.title.in_language(lang)
    yield _topic("date", lang), config.date.isoformat()
    for key, said in (("notice", config.notice), ("attribution", config.attribution)):
        if said is not None:
            yield _topic(key, lang), said.in_language(lang)


def _of_layers(config: StudyConfig, profiles: Mapping[str, Profile], lang: Lang) -> Iterator[tuple[str, str]]:
    """Yield who travels how far to each layer, and which facilities count."""
    groups = group_names(config, lang)
    for layer in config.facilities:
        said = [cutoff_text(layer, profiles.get(layer.profile), lang), _whom(groups[layer.group], lang)]
        if layer.facilities_from == "own_zones_only":
            said.append("只计研究范围内的设施" if lang == "zh" else "facilities beyond the study's zones do not count")
        yield _topic("layer", lang).format(layer.name.in_language(lang)), ("；" if lang == "zh" else "; ").join(said)


def _whom(group: str, lang: Lang) -> str:
    return f"服务对象：{group}" if lang == "zh" else f"for: {group}"


def _of_people(config: StudyConfig, lang: Lang) -> Iterator[tuple[str, str]]:
    """Yield where people come from, and how each group is counted."""
    people = config.population
    said = people.source.in_language(lang) if people.source is not None else _topic(people.kind, lang)
    yield _topic("people", lang), said if people.year is None else f"{said}, {people.year}"
    for group in config.groups:
        yield _topic("group", lang).format(group.name.in_language(lang)), _counted(group, lang)


def _counted(group: Group, lang: Lang) -> str:
    """Return how a group is counted."""
    if group.share is not None:
        shares = group.share if isinstance(group.share, dict) else {"": group.share}
        listed = ", ".join(f"{kind} {100 * share:g}%".strip() for kind, share in shares.items())
        return f"总人口的 {listed}" if lang == "zh" else f"{listed} of everybody"
    if group.zone_column is not None:
        column = group.zone_column
        return f"总人口乘以镇街的比例列 {column}" if lang == "zh" else f"everybody × the zones' column {column}"
    if group.table is not None:
        return "总人口乘以各镇街比例表" if lang == "zh" else "everybody × a table of the zones' shares"
    return "单独计数" if lang == "zh" else "counted on its own"


def _files(config: StudyConfig) -> list[str]:
    """Return the names of the files that people, roads, zones and facilities come from."""
    facilities = (table for layer in config.facilities for table in layer.tables())
    paths = (table.path for table in (config.zones, config.roads, config.population, *facilities))
    return list(dict.fromkeys(path.name for path in paths if path is not None))
