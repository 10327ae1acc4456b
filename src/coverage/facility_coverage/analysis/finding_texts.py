"""What a finding says: message and advice by code, in Chinese and English."""

from __future__ import annotations

from typing import NamedTuple


class Sentence(NamedTuple):
    """Message and advice in both languages; names in braces are filled in."""

    zh: str
    en: str
    advice_zh: str
    advice_en: str


SENTENCES: dict[str, Sentence] = {
    "beyond_study": Sentence(
        "{read} 处设施中有 {count} 处超出研究范围最长出行距离，不计入",
        "{count} of {read} facilities lie farther from the study than the longest trip and do not count",
        "核对坐标系与经纬度顺序；确属其他区域则无需处理",
        "check the reference system and the order of lon and lat; nothing to do if they belong elsewhere",
    ),
    "beyond_zones": Sentence(
        "{count} 处设施位于各镇街以外，但仍可服务本区居民",
        "{count} facilities lie beyond the zones and serve its people all the same",
        "如只计本区设施，请设 facilities_from: own_zones_only",
        "set facilities_from: own_zones_only if only the study's own facilities should count",
    ),
    "capacity_missing": Sentence(
        "{column}：{rows} 处设施中有 {count} 处无数据（不按 0 计）",
        "{column}: no data for {count} of {rows} facilities (which is not counted as 0)",
        "补齐该列；缺数据时相关目标显示“无数据”",
        "fill the column: goals that need it show no data",
    ),
    "capacity_zero": Sentence(
        "{column}：{count} 处设施为 0",
        "{column} is 0 for {count} facilities",
        "确认是否确为 0；未知请留空",
        "leave it empty where it is not known",
    ),
    "capacity_absurd": Sentence(
        "{column}：{count} 处设施数值过大（最大 {largest:,.0f}，中位数 {median:,.0f}）",
        "{column} is very large for {count} facilities (at most {largest:,.0f}, median {median:,.0f})",
        "核对单位与小数点，是否误填面积、电话或合计",
        "check the unit: is it an area, a telephone number or a sum?",
    ),
    "part_exceeds_whole": Sentence(
        "{count} 处设施的 {column} 大于 {whole}",
        "{column} exceeds {whole} for {count} facilities",
        "核对两列是否对调",
        "see whether the two columns are swapped",
    ),
    "same_place": Sentence(
        "{count} 处设施与同层其他设施坐标相同",
        "{count} facilities stand at the same place as another of their layer",
        "是否重复登记，或以镇街中心代替了真实地址",
        "are they registered twice, or placed at the town's centre for want of an address?",
    ),
    "off_network": Sentence(
        "{count} 处设施 {limit_m:,.0f} 米内没有 {profile} 可通行的道路，无人可达",
        "{count} facilities have no road open to {profile} within {limit_m:,.0f} m: nobody reaches them",
        "核对坐标，或补充道路",
        "check their coordinates, or the roads there",
    ),
    "small_piece": Sentence(
        "{count} 处设施位于与主网不连通的小段道路上（{profile}）",
        "{count} facilities stand on small pieces of network that no way open to {profile} joins to the rest",
        "核对当地道路是否缺失连接，或提高 network.min_component_nodes",
        "look for missing links there, or raise network.min_component_nodes",
    ),
    "zone_without_people": Sentence(
        "{count} 个镇街没有人口",
        "{count} zones have no people",
        "核对人口数据与边界是否匹配",
        "see whether the population and the zones belong together",
    ),
    "zone_without_roads": Sentence(
        "{count} 个镇街内没有 {profile} 可通行的道路",
        "no road open to {profile} enters {count} zones",
        "核对道路数据范围",
        "check how far the roads reach",
    ),
    "isolated_roads": Sentence(
        "{profile}：{count} 段孤立道路（共 {length_km:,.1f} 公里）不计入路网",
        "{profile}: {count} isolated pieces of network ({length_km:,.1f} km) are left out",
        "若应连通，请检查线是否相接（roads.snap_tolerance_m、network.min_component_nodes）",
        "where they should be joined, see that lines meet (roads.snap_tolerance_m, network.min_component_nodes)",
    ),
    "people_off_network": Sentence(
        "{profile}：{count:,} 人（{people_share:.1%}）距最近道路过远，不可达",
        "{profile}: {count:,} people ({people_share:.1%}) live too far from any road and reach nothing",
        "核对道路是否完整，或调整 network.max_access_m",
        "see whether roads are missing; network.max_access_m is the limit",
    ),
    "people_near_dropped": Sentence(
        "{profile}：{count:,} 人（{people_share:.1%}）的最近道路属孤立路段",
        "{profile}: {count:,} people ({people_share:.1%}) live nearest to an isolated piece of network",
        "核对孤立路段是否应与主网相接",
        "see whether those pieces should be joined to the rest",
    ),
    "people_behind_barrier": Sentence(
        "{profile}：{count:,} 人（{people_share:.1%}）的最近道路在屏障另一侧",
        "{profile}: {count:,} people ({people_share:.1%}) live nearest to a road behind a barrier",
        "核对屏障（barriers）是否可在该处通过",
        "see whether the barriers can be passed there",
    ),
    "zone_overlap": Sentence(
        "{count} 处镇街边界重叠，共 {area_m2:,.0f} 平方米",
        "zones overlap in {count} places, {area_m2:,.0f} m² in all",
        "修正边界，或设 zones.repair: true",
        "correct the outlines, or set zones.repair: true",
    ),
    "zone_gap": Sentence(
        "镇街之间有 {count} 处空隙不属于任何镇街，共 {area_m2:,.0f} 平方米",
        "{count} gaps between zones belong to none of them, {area_m2:,.0f} m² in all",
        "确认是否湖泊或外区飞地；狭缝可设 zones.repair: true 归入邻镇",
        "are they lakes or enclaves? zones.repair: true gives slivers to a neighbour",
    ),
    "zone_open_gap": Sentence(
        "{count} 个镇街的边界与邻镇相距甚近而未相接（共 {length_m:,.0f} 米）",
        "the borders of {count} zones run beside a neighbour's without meeting it ({length_m:,.0f} m in all)",
        "狭缝通向外侧，程序不填补；请在边界数据中捕捉到同一条线",
        "such slivers are open to the outside and not filled: snap the two borders to one line",
    ),
    "zone_beyond_boundary": Sentence(
        "{count} 个镇街超出研究边界，共 {area_m2:,.0f} 平方米",
        "{count} zones reach beyond the boundary of the study, by {area_m2:,.0f} m² in all",
        "核对边界与镇街是否同一来源；镇街的人口照常计入",
        "see whether boundary and zones belong together; the zones' people count all the same",
    ),
    "zone_repaired": Sentence(
        "修复改变了 {count} 个镇街（其中 {rings} 个边界环无效）",
        "the repair changed {count} zones ({rings} of them had invalid rings)",
        "核对每个镇街修复前后的面积",
        "compare the areas before and after",
    ),
    "zone_crosses_district": Sentence(
        "{count} 个镇街跨出所属区县，共 {area_m2:,.0f} 平方米",
        "{count} zones cross the border of their district, by {area_m2:,.0f} m² in all",
        "核对 district_id，或两套边界是否同一来源",
        "check district_id, and whether both outlines come from one source",
    ),
    "code_lengths": Sentence(
        "{column}：{count} 个代码少于 {length} 位，前导零可能丢失",
        "{column}: {count} codes have fewer than {length} digits; leading zeros may be lost",
        "以文本格式保存代码列",
        "keep the column as text",
    ),
    "facility_merged": Sentence(
        "{count} 对重复设施已合并",
        "{count} pairs of facilities were made one",
        "核对合并清单（run.json 的 details）",
        "look through them: run.json lists all under details",
    ),
    "datum_shift": Sentence(
        "坐标疑为 {reading}：{places} 处中 {nearer_share:.0%} 按 {reading} 解读更贴近{against_zh}，"
        "距离中位数由 {declared_m:,.0f} 米降为 {read_m:,.0f} 米（把握 {sure:.2%}）",
        "the coordinates look like {reading}: read so, {nearer_share:.0%} of {places} places lie nearer to {against}, "
        "the median distance falls from {declared_m:,.0f} m to {read_m:,.0f} m ({sure:.2%} sure)",
        "核对数据来源；如是，请改 datum: {datum}",
        "ask where the file comes from; if so, set datum: {datum}",
    ),
    "datum_shift_roads": Sentence(
        "道路坐标疑为 {reading}：把设施移到该坐标系后，{places} 处中 {nearer_share:.0%} 更贴近道路，"
        "距离中位数由 {declared_m:,.0f} 米降为 {read_m:,.0f} 米（把握 {sure:.2%}）",
        "the roads look like {reading}: moved to that datum, {nearer_share:.0%} of {places} facilities lie nearer to "
        "them, the median distance falls from {declared_m:,.0f} m to {read_m:,.0f} m ({sure:.2%} sure)",
        "核对道路数据来源；如是，请在 roads 下写明 datum: {datum}",
        "ask where the roads come from; if so, set datum: {datum} under roads",
    ),
    "control_far": Sentence(
        "{group}：{count} 个控制总数与人口数据相差超过 20%（最多 {largest_share:.0%}），已按控制总数调整",
        "{group}: {count} control totals are over 20% off the source (up to {largest_share:.0%}); people are rescaled",
        "核对人口数据与控制总数的年份和口径（* 为全域）",
        "see whether both are of the same year and count the same people (* is the whole study)",
    ),
    "control_near": Sentence(
        "{group}：{count} 个控制总数均与人口数据相差不超过 20%（最多 {largest_share:.1%}）",
        "{group}: all {count} control totals are within 20% of the source (at most {largest_share:.1%} off)",
        "无需处理；倍数见 run.json 的 details.controls",
        "nothing to do; the factors are in run.json under details.controls",
    ),
    "column_missing_values": Sentence(
        "列 {column}：{rows} 行中 {count} 行为空",
        "column {column}: {count} of {rows} rows are empty",
        "空值按“无数据”处理",
        "empty means no data",
    ),
    "found": Sentence(
        "研究文件未写明而由程序判定：{what}",
        "not stated by the study, and found out: {what}",
        "如不对，请在研究文件中写明（columns、encoding、header_row）",
        "state it in the study if it is wrong (columns, encoding, header_row)",
    ),
    "duplicates": Sentence(
        "{count} 对设施疑为重复登记",
        "{count} pairs of facilities seem to be the same one",
        "核对后修改数据，或设 duplicates: merge",
        "correct the data, or set duplicates: merge",
    ),
    "same_names": Sentence(
        "{count} 个名称被多处设施使用，且相距较远",
        "{count} names are those of several facilities far from each other",
        "核对是否为同一机构的不同院区",
        "are they branches of one institution?",
    ),
}
