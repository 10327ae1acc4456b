"""Every word of the map that is not the user's, in Chinese and English."""

from __future__ import annotations

from facility_coverage.config.text import Lang

_TEXTS: dict[str, tuple[str, str]] = {
    "choose": ("设施类型", "Facilities"),
    "covered_share": ("可达率", "Share"),
    "covered": ("可达", "covered"),
    "left_out": ("未可达", "left out"),
    "unattached": (
        "其中 {people} 人距最近道路超过 {metres} 米",
        "{people} live more than {metres} m from any road",
    ),
    "everybody": ("全体人口", "Everybody"),
    "study": ("全域", "Whole area"),
    "urban": ("城", "urban"),
    "rural": ("乡", "rural"),
    "urban_long": ("城镇地区", "Urban"),
    "rural_long": ("农村地区", "Rural"),
    "legend": ("图例与图层", "Legend and layers"),
    "goals": ("规划目标", "Goals of the plan"),
    "zones": ("镇街", "Towns and subdistricts"),
    "no_goals": ("本研究未设规划目标", "This study sets no goals"),
    "shares": ("各镇街可达率", "Share covered by zone"),
    "no_data": ("无数据", "no data"),
    "service": ("服务圈(阈值内可到达的范围,仅供示意)", "Service area (within the cutoff; for the eye only)"),
    "gaps": ("未可达人口(圆点大小表示人数)", "People left out (size: how many)"),
    "facilities": ("设施", "Facilities"),
    "roads": ("道路", "Roads"),
    "relief": ("地形", "Relief"),
    "water": ("水系", "Water"),
    "labels": ("镇街名称", "Names of zones"),
    "boundary": ("研究范围", "Boundary of the study"),
    "people": ("人", "people"),
    "catchment": ("服务范围内", "People in its catchment"),
    "tier": ("层级", "Tier"),
    "target": ("目标", "Target"),
    "value": ("现状", "Now"),
    "shortfall": ("缺口", "Shortfall"),
    "baseline": ("基期", "Baseline"),
    "binding": ("约束性", "binding"),
    "expected": ("预期性", "expected"),
    "met": ("达到", "met"),
    "on_track": ("按进度", "on track"),
    "behind": ("滞后", "behind"),
    "source": ("依据", "Source"),
    "incomplete": ("处设施无数据", "facilities without data"),
    "data_of": ("数据时点", "Data as of"),
    "made": ("生成", "Made"),
    "run": ("运行标识", "Run"),
    "close": ("关闭", "Close"),
    "map": ("地图", "Map"),
    "group": ("人群", "Group"),
    "total": ("总人数", "People"),
    "facility_kind": ("类别", "Kind"),
    "panel": ("图面说明与结果", "Results and legend"),
    "zoom_in": ("放大", "Zoom in"),
    "zoom_out": ("缩小", "Zoom out"),
    "whole": ("显示全域", "Whole area"),
    "unnamed": ("(无名称)", "(no name)"),
    "no_script": ("本地图需要启用 JavaScript。", "This map needs JavaScript."),
    "capacity_beds": ("床位", "beds"),
    "capacity_nursing_beds": ("护理型床位", "nursing beds"),
    "capacity_slots": ("托位", "slots"),
    "capacity_seats": ("座位", "seats"),
    "unit_beds": ("张", "beds"),
    "unit_nursing_beds": ("张护理型床位", "nursing beds"),
    "unit_slots": ("个托位", "slots"),
    "unit_facilities": ("处设施", "facilities"),
    "unit_people": ("人", "people"),
    "unit_zones": ("个镇街", "zones"),
    "unit_districts": ("个区县", "districts"),
    "unit_areas": ("片区", "areas"),
    "unit_places": ("个学位", "places"),
    "unit_area_m2": ("平方米场地", "m² of ground"),
    "unit_floor_area_m2": ("平方米建筑面积", "m² of floor"),
    "unit_land_area_m2": ("平方米用地", "m² of land"),
    "capacity_places": ("学位", "places"),
    "capacity_area_m2": ("场地面积(平方米)", "ground (m²)"),
    "capacity_floor_area_m2": ("建筑面积(平方米)", "floor (m²)"),
    "capacity_land_area_m2": ("用地面积(平方米)", "land (m²)"),
    "density_of": ("{}密度", "{}: density"),
    "proportion_of": ("{}占总人口比重", "{}: share of the population"),
    "per_km2": ("人/平方公里", "people per km²"),
    "no_target": ("仅监测", "no target"),
    "goals_without_data": ("无数据的目标", "Goals without data"),
    "rate_per_1000": ("每千人 {}", "{} per 1000"),
    "rate_m2_per_person": ("人均 {} 平方米", "{} m² per person"),
    "rate_m2_per_10000_people": ("每万人 {} 平方米", "{} m² per 10,000 people"),
    "rate_m2_per_100_households": ("每百户 {} 平方米", "{} m² per 100 households"),
}


def texts(lang: Lang) -> dict[str, str]:
    """Return all texts in `lang` by key."""
    return {key: pair[0 if lang == "zh" else 1] for key, pair in _TEXTS.items()}


def text(key: str, lang: Lang) -> str:
    """Return one text."""
    return _TEXTS[key][0 if lang == "zh" else 1]


def rate(scale: str, lang: Lang) -> str:
    """Return the pattern of a rate's figure, empty for scales that are no rate."""
    pair = _TEXTS.get(f"rate_{scale}")
    return "" if pair is None else pair[0 if lang == "zh" else 1]


def word_for(kind: str, name: str, lang: Lang) -> str:
    """Return our word for a name of the user's (kind ``capacity`` or ``unit``), or the name where we have none."""
    pair = _TEXTS.get(f"{kind}_{name}")
    return name if pair is None else pair[0 if lang == "zh" else 1]
