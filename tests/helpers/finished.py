"""Finished runs of the small study: with goals, groups and two states, and with hostile names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd

from facility_coverage.running import run_study
from small_study import edit, stations, write_small, zones

EVIL = (
    "<img src=x onerror='window.hacked=1'></script><script>window.hacked=2</script>${window.hacked=3}"
    '`${window.hacked=4}`{{7*7}}{value}"javascript:window.hacked=5\u202egnp.exe'
)
#: What is left of it where nothing may be invisible.
SHOWN = EVIL.replace("\u202e", "[U+202E]")


def write_finished(folder: Path, *, evil: str = "", name: str = "out") -> Path:
    """Run the small study in a folder; returns its result folder. `evil` joins every name that a user gives."""
    folder.mkdir(parents=True, exist_ok=True)
    small = write_small(folder)
    edit(small, lambda study: study.update(_more(evil)))
    _layer(small, evil)
    towns: gpd.GeoDataFrame = zones()
    towns["name"] = [one + evil for one in towns["name"]]
    towns.to_file(folder / "zones.geojson")
    stations(small, name=[one + evil for one in ("甲站", "乙站", "丙站")])
    return run_study(small, folder=folder / name).folder


def _more(evil: str) -> dict[str, Any]:
    text = {"zh": "小样" + evil, "en": "Small" + evil}
    citation = {"document": "规划" + evil, "clause": "第1条"}
    target = {"year": 2025, "value": 40}
    of_layer = {"layer": "station"}

    def goal(name: str, measure: str, **keys: Any) -> dict[str, Any]:
        names = {"zh": name + evil, "en": name + evil}
        return {"name": names, "measure": measure, "citation": citation, "note": "口径" + evil, **keys}

    return {
        "title": text,
        "notice": "合成数据" + evil,
        "attribution": "来源" + evil,
        "groups": [{"id": "old", "name": "老人" + evil, "share": 0.2}],
        "states": [{"id": "later", "name": "以后" + evil, "date": "2027-12-31"}],
        "outputs": {"map_states": ["later"], "geopackage": ["zones"]},
        "plan": {
            "id": "plan",
            "title": "规划" + evil,
            "goals": [
                goal(
                    "床位",
                    "capacity_total",
                    id="beds",
                    layer="station",
                    capacity="beds",
                    nature="binding",
                    target=target,
                ),
                goal(
                    "可达", "population_covered", id="reach", group="old", target={"year": 2025, "value": 1}, **of_layer
                ),
                goal("站点", "facility_count", id="count", target=target | {"value": 3}, **of_layer),
            ],
        },
    }


def _layer(small: Path, evil: str) -> None:
    def change(study: dict[str, Any]) -> None:
        study["facilities"][0] |= {"name": "养老服务站" + evil, "group": "old"}

    edit(small, change)
