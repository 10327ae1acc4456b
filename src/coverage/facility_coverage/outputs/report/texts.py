"""Every word of a report that is not the user's, in Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Iterable

from facility_coverage.config.text import Lang

_WORDS: dict[str, tuple[str, str]] = {
    # cover and chapters
    "report": ("公共服务设施评估报告", "Report on public services"),
    "joint_title": ("{first}等 {count} 个区域公共服务评估", "Public services of {first} and {more} more"),
    "contents": ("目录", "Contents"),
    "summary": ("摘要", "Summary"),
    "overview": ("总览", "Overview"),
    "goals": ("规划目标判定总表", "Verdicts on all goals"),
    "services": ("各类服务可达情况", "Who reaches each service"),
    "each_goal": ("分项目标", "Goal by goal"),
    "study_goals": ("只对全域评价的目标", "Goals judged for the whole area only"),
    "sites": ("建议选址", "Proposed sites"),
    "order": ("次序", "Order"),
    "site": ("地点", "Site"),
    "gain": ("新增可达人数", "People newly covered"),
    "gain_person_minutes": ("节省的人·分钟", "Person-minutes saved"),
    "gain_people_served": ("新增可服务人数", "More people served"),
    "gain_minutes": ("最长用时缩短的分钟", "Minutes off the longest trip"),
    "share_then": ("建成后可达率", "Within reach then"),
    "causes": ("未可达的原因与对策", "Why people are left out, and what would help"),
    "causes_lead": (
        "原因由去掉它重新计算得出；对策的新增人数由加上它重新计算得出，造价为研究设定的相对值。",
        "A cause is what, computed anew without it, would leave people in time; people gained are computed anew with "
        "the remedy in place; prices are relative, as the study sets them.",
    ),
    "causes_table": ("各类服务未可达人数，按原因", "People left out of each service, by cause"),
    "gaps_table": ("未可达人数最多的地方与最省对策", "Where most people are left out, and the cheapest remedy"),
    "gap": ("地点", "Place"),
    "cause": ("原因", "Cause"),
    "remedy": ("最省对策", "Cheapest remedy"),
    "remedy_gain": ("{remedy}，新增 {people} 人", "{remedy}: {people} people more"),
    "remedy_metres": ("{remedy}（{metres} 米）", "{remedy} of {metres} m"),
    "remedy_where": ("{remedy}（{name}）", "{remedy} ({name})"),
    "served_lead": (
        "可达不等于可服务：在阈值内、不超过设施容量时最多能服务的人数。",
        "Covered is not served: the most people whom facilities can serve within the cutoff and within their capacity.",
    ),
    "served_table": ("容量可服务人数", "People who can be served"),
    "covered_people": ("可达人数", "Covered"),
    "served_people": ("可服务人数", "Can be served"),
    "residual_people": ("可达但无余量", "No capacity left"),
    "towns": ("分镇街情况", "Town by town"),
    "method": ("方法说明", "Method"),
    "quality": ("数据质量", "Quality of the data"),
    "citations": ("依据", "Sources of the goals"),
    "passport": ("运行信息", "Passport of the run"),
    "data_of": ("数据时点", "Data as of"),
    "made": ("结果生成", "Computed on"),
    "run": ("运行标识", "Run"),
    "runs": ("区域", "Area"),
    "approval": ("审图号", "Map approval number"),
    "attribution": ("数据来源", "Data from"),
    "whole": ("全域", "Whole area"),
    # columns
    "goal": ("目标", "Goal"),
    "value": ("现状", "Now"),
    "target": ("目标值", "Target"),
    "year": ("年份", "Year"),
    "nature": ("属性", "Nature"),
    "status": ("判定", "Verdict"),
    "shortfall": ("缺口", "Shortfall"),
    "baseline": ("基期", "Baseline"),
    "note": ("说明", "Remark"),
    "town": ("镇街", "Town"),
    "district": ("区县", "District"),
    "service": ("服务", "Service"),
    "for_whom": ("对象", "For whom"),
    "people": ("人数", "People"),
    "share": ("可达率", "Within reach"),
    "left_out": ("未可达人数", "People left out"),
    "others": ("其他人群可达率", "Other groups within reach"),
    "facilities": ("设施数", "Facilities"),
    "facilities_read": ("设施数（含区外）", "Facilities, those beyond included"),
    "capacity": ("容量", "Capacity"),
    "cutoff": ("出行方式与时限", "Who travels, and how long"),
    "tiers": ("层级", "Tiers"),
    "source": ("出处", "Source"),
    "document": ("文件与条款", "Document and clause"),
    "for_goals": ("所依目标", "Goals"),
    "checked": ("核对", "Checked"),
    "checked_yes": ("已核对原文", "read in the original"),
    "checked_no": ("未核对原文", "not read in the original"),
    "rank": ("级别", "Rank"),
    "layer": ("图层与文件", "Layer and file"),
    "finding": ("发现", "What was found"),
    "advice": ("建议", "What to do"),
    "input": ("输入", "Input"),
    "file": ("文件", "File"),
    "bytes": ("字节", "Bytes"),
    "stage": ("阶段", "Stage"),
    "seconds": ("秒", "Seconds"),
    "leader": ("上级中心", "Centre"),
    "led": ("所管设施（到中心的分钟数）", "Facilities that it leads (minutes to it)"),
    "no_leader": ("时限内无上级中心", "no centre within the time set"),
    "zones_count": ("镇街数", "Towns"),
    "met_count": ("达到", "Met"),
    "on_track_count": ("按进度", "On track"),
    "behind_count": ("滞后", "Behind"),
    "no_data_count": ("无数据", "No data"),
    "profile": ("出行者", "Who travels"),
    "speed": ("平地速度", "On level ground"),
    "network": ("路网长度", "Length of network"),
    "unattached": ("远离道路的人数", "People too far from any road"),
    "dropped": ("剔除的孤立路段", "Isolated pieces left out"),
    "binding": ("约束性", "binding"),
    "expected": ("预期性", "expected"),
    "text": ("文本", "in the text"),
    "no_target": ("仅监测", "no target"),
    "error": ("错误", "error"),
    "warning": ("警告", "warning"),
    # sentences
    "area": (
        "{title}（{state}）共 {zones} 个镇街、{people} 人{groups}。",
        "{title} ({state}): {zones} towns, {people} people{groups}.",
    ),
    "of_whom": ("，其中{list}", ", of whom {list}"),
    "group_count": ("{group} {people} 人", "{people} {group}"),
    "goal_count": ("规划目标共 {count} 项：{parts}。", "{count} goals: {parts}."),
    "binding_count": ("其中约束性目标 {count} 项：{parts}。", "{count} of them are binding: {parts}."),
    "part": ("{status} {count} 项", "{count} {status}"),
    "binding_missed": ("未达到的约束性目标：{list}。", "Binding goals that are not met: {list}."),
    "goal_brief": ("{goal}（{value}，目标 {target}）", "{goal} ({value} for {target})"),
    "shortfall_line": (
        "{goal}：{value}，目标 {target}，缺 {shortfall}{towns}。",
        "{goal}: {value} for a target of {target}, short of {shortfall}{towns}.",
    ),
    "worst_towns": ("；缺口最大的镇街：{list}", "; most in {list}"),
    "largest": (
        "缺口最大的目标（约束性在前，按与目标值的相对差距排列）",
        "The largest shortfalls: binding goals first, by how far each is from its target",
    ),
    "services_head": ("各类服务未可达的人数", "People left out of each service"),
    "service_line": (
        "{layer}：{group} {people} 人中，{share} 在时限内可达，{left} 人未可达{towns}。",
        "{layer}: {share} of {people} people ({group}) are within reach, {left} are left out{towns}.",
    ),
    "lowest_towns": ("；可达率最低的镇街：{list}", "; lowest in {list}"),
    "states_table": ("各时点与方案对照", "Other dates and plans"),
    "goals_met": ("达到的目标（项）", "Goals that are met"),
    "now_line": (
        "现状 {value}，目标 {target}（{year} 年）：{status}{short}。",
        "{value} now, the target is {target} ({year}): {status}{short}.",
    ),
    "short_by": ("，缺 {shortfall}", ", short of {shortfall}"),
    "monitored": ("现状 {value}；规划未设目标值。", "{value} now; the plan sets no target."),
    "no_figure": ("无数据。", "No data."),
    "service_absent": ("{layer}：无数据。", "{layer}: no data."),
    "absent": ("无数据：{reason}。", "No data: {reason}."),
    "towns_judged": (
        "{count} 个镇街参与评价：{met} 个达到，{missed} 个未达到{none}。",
        "{count} towns are judged: {met} meet it, {missed} do not{none}.",
    ),
    "towns_none": ("，{count} 个无数据", ", {count} have no data"),
    "towns_not_judged": (
        "该目标不逐镇街评价；各镇街数值供参考。",
        "Towns are not judged by this goal; their figures are for information.",
    ),
    "towns_missing": ("未达到的镇街", "Towns that miss it"),
    "towns_figures": ("各镇街数值", "Figures of the towns"),
    "towns_met": ("达到的镇街：{list}。", "Towns that meet it: {list}."),
    "towns_without": ("{reason}：{list}。", "{reason}: {list}."),
    "more_rows": ("另有 {count} 个镇街，见 verdicts.csv。", "{count} more towns are in verdicts.csv."),
    "baseline_line": ("基期（{year} 年）：{value}。", "Baseline ({year}): {value}."),
    "beside_line": (
        "该目标按直线距离计算；按路网出行时间为 {value}。",
        "This goal draws circles; by travel time it is {value}.",
    ),
    "sharing_line": (
        "计入区外设施为 {with_sharing}，仅计本区设施为 {without}。",
        "{with_sharing} with facilities anywhere, {without} with the area's own alone.",
    ),
    "missing_line": ("{count} 处设施无数据，未计入。", "{count} facilities have no data and are left out."),
    "cited": ("依据：{citation}", "Source: {citation}"),
    "unverified": ("（未核对原文）", " (not read in the original)"),
    "town_head": ("{kind}{people}", "{kind}{people}"),
    "town_people": ("人口 {people}{groups}", "{people} people{groups}"),
    "town_status": ("规划目标：{parts}。", "Goals: {parts}."),
    "town_no_goals": ("没有逐镇街评价的目标。", "No goal is judged for this town."),
    "town_no_data": ("无数据的目标：{list}。", "Goals without data: {list}."),
    "town_missed": ("未达到的目标", "Goals that it misses"),
    "town_met": ("达到的目标：{list}。", "Goals that it meets: {list}."),
    "town_facilities": ("设施与容量", "Facilities and what they hold"),
    "scope": ("范围", "Scope"),
    "sections": ("{count} 节", "{count} sections"),
    "town_services": ("各类服务", "Services"),
    "town_leaders": ("设施与上级中心", "Facilities and who leads them"),
    "too_many_towns": (
        "镇街超过 {most} 个，不逐个成章；数值见 zones.csv 与 verdicts.csv。",
        "There are more than {most} towns: they have no chapters; their figures are in zones.csv and verdicts.csv.",
    ),
    "urban": ("城镇", "Urban"),
    "rural": ("农村", "Rural"),
    "kind_of_town": ("类型", "Kind"),
    "area_km2": ("面积", "Area"),
    "km2": ("{value} 平方公里", "{value} km²"),
    # method
    "method_rules": ("口径", "Rules"),
    "rule_time": (
        "出行时间沿路网计算，含从住处到道路、从道路到设施的两段；恰好等于时限计为可达。",
        "Times are those along the network, door to door; exactly the time limit is within it.",
    ),
    "rule_no_data": ("缺数据记为“无数据”，不按 0 计。", "What is missing is no data, never 0."),
    "rule_cut": (
        "比例与指标值只舍不入，未可达人数只入不舍，因此不会因取整而显得达标。",
        "Shares and figures are cut, never rounded up, and people left out are rounded up: nothing meets a target by rounding.",  # noqa: E501
    ),
    "rule_access": (
        "距最近道路超过 {metres} 米的人计为不可达；少于 {nodes} 个节点的孤立路段不计入路网。",
        "People farther than {metres} m from any road reach nothing; pieces of network with fewer than {nodes} nodes are left out.",  # noqa: E501
    ),
    "rule_terrain": (
        "步行速度随坡度变化，高程取自 {file}；路网所在地面高 {low}–{high} 米。",
        "Walking is slower uphill; heights come from {file}, the roads lie at {low}–{high} m.",
    ),
    "rule_level": ("未使用高程数据，步行按平地速度计算。", "No heights are used: everybody walks at level speed."),
    "rule_barriers": ("接入道路的一段不得穿越：{list}。", "The way to the road may not cross: {list}."),
    "rule_outside": (
        "区外设施同样计入，下列服务只计本区设施：{list}。",
        "Facilities beyond the zones count; only the area's own count for {list}.",
    ),
    "rule_anywhere": ("区外设施同样计入。", "Facilities beyond the zones count as well."),
    "population_line": (
        "人口取自 {file}{source}：读入 {read} 人，其中 {inside} 人在各镇街内，{beyond} 人在镇街外。",
        "People come from {file}{source}: {read} were read, {inside} of them in the zones, {beyond} beyond.",
    ),
    "rescaled_line": ("按控制总数调整 {people} 人。", "Control totals changed {people} people."),
    "population_source": ("（{source}）", " ({source})"),
    "crs_line": ("坐标系 {crs}。", "Reference system {crs}."),
    "services_table": ("服务与时限", "Services and time limits"),
    "profiles_table": ("出行者", "Who travels"),
    "by_car": ("驾车", "by car"),
    "on_foot": ("步行", "on foot"),
    "no_findings": ("数据检查未发现问题。", "The check of the data found nothing."),
    "findings_unknown": (
        "该结果由较早版本生成，没有数据检查记录；重新运行即可得到。",
        "This result is of an earlier version and has no findings; run the study again.",
    ),
    "inputs_table": ("输入文件", "Input files"),
    "stages_table": ("各阶段用时", "How long each stage took"),
    "versions": ("版本", "Versions"),
    "finished": ("完成时间（UTC）", "Finished (UTC)"),
    # several runs
    "joint_area": ("共 {runs} 个区域、{zones} 个镇街、{people} 人。", "{runs} areas, {zones} towns, {people} people."),
    "joint_services": ("各类服务可达率", "Share within reach of each service"),
    "joint_goals": ("同一目标的对照", "The same goals side by side"),
    "joint_runs": ("各区域概况", "The areas"),
    "joint_all_met": ("所有区域均达到的目标 {count} 项。", "{count} goals are met in every area."),
    "joint_missed": ("各区域均未达到的目标：{list}。", "Goals that no area meets: {list}."),
    "joint_part": ("第 {part} 部分", "Part {part}"),
    # the page
    "no_script": ("未启用 JavaScript，地图以图片显示。", "Without JavaScript, maps are pictures."),
    "map_of": ("地图：{name}", "Map: {name}"),
    "live": ("可操作的地图", "live map"),
    "unnamed": ("（无名称）", "(no name)"),
    "page_of": ("第 {page} 页", "Page {page}"),
    "update_contents": (
        "在 Word 中右键目录，选择“更新域”，可得到页码。",
        "In Word, click the contents with the right button and update the field to get page numbers.",
    ),
}


def word(key: str, lang: Lang) -> str:
    """Return one text."""
    return _WORDS[key][0 if lang == "zh" else 1]


def said(key: str, lang: Lang, **values: object) -> str:
    """Return a sentence with its blanks filled in.

    Examples
    --------
    >>> said("part", "zh", status="达到", count=3), said("part", "en", status="met", count=3)
    ('达到 3 项', '3 met')
    """
    # Not format(): the values are users' texts, and may hold braces of their own.
    return re.sub(r"\{(\w+)\}", lambda blank: str(values[blank[1]]), word(key, lang))


def listed(items: Iterable[str], lang: Lang) -> str:
    """Return a list within a sentence.

    Examples
    --------
    >>> listed(["三教镇", "板桥镇"], "zh"), listed(["Sanjiao", "Banqiao"], "en")
    ('三教镇、板桥镇', 'Sanjiao, Banqiao')
    """
    return ("、" if lang == "zh" else ", ").join(items)


def bracketed(text: str, lang: Lang) -> str:
    """Return a text in brackets, nothing for none."""
    if not text:
        return ""
    return f"（{text}）" if lang == "zh" else f" ({text})"
