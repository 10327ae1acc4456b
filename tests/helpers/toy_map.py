"""A toy district of any size, built straight as the contracts' dataclasses."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.spatial import cKDTree

from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.analysis.time_grid import GroundTimes, TimeGrid, lay_grid
from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.model import TAGS, Demand, Floats, Layers, Roads
from facility_coverage.outputs.scenes import MapContent

CRS = pyproj.CRS("EPSG:4544")
X0, Y0 = 580_000.0, 3_230_000.0
TiersOf = dict[str, list[str]]
TIERS: TiersOf = {"elder_care": ["centre", "station", "point"], "childcare": [], "medical": ["hospital", "clinic"]}


@dataclass(frozen=True)
class Size:
    """How large the district is: zones in columns and rows of squares, facilities of each kind, ways, people."""

    columns: int = 5
    rows: int = 4
    side_m: float = 8_000.0
    facilities: tuple[int, int, int] = (200, 60, 140)
    ways: int = 5_000
    points: int = 20_000
    winding_m: float = 0.0

    @property
    def corner(self) -> tuple[float, float]:
        """The north-east one."""
        return X0 + self.columns * self.side_m, Y0 + self.rows * self.side_m

    def scattered(self, rng: np.random.Generator, count: int, *, crowded: bool = True) -> tuple[Floats, Floats]:
        """Return places in the district, most of them about its middle."""
        across, down = (rng.beta(2, 2, count) if crowded else rng.random(count) for _ in range(2))
        return X0 + across * self.columns * self.side_m, Y0 + down * self.rows * self.side_m


#: As large as a province's worth of towns: what a map must still open with.
LARGE = Size(60, 50, 2_000.0, (5_000, 1_500, 3_500), 60_000, 500_000, winding_m=250.0)


def toy_content(*, evil: str = "", notice: str = "合成样例数据", size: Size = Size()) -> MapContent:
    """Return a district of a size; `evil` joins every user's text."""
    rng = np.random.default_rng(7)
    zones = _zones(evil, size)
    config = _config(evil, notice)
    points = _points(rng, zones, size)
    facilities = _facilities(rng, evil, size)
    layers = Layers(
        crs=CRS,
        boundary=shapely.union_all(zones.geometry.to_numpy()),
        zones=zones,
        demand=Demand(points, pd.DataFrame(), pd.DataFrame()),
        facilities=facilities,
        roads=_roads(rng, size),
        basemap={
            "neighbours": gpd.GeoDataFrame(
                {"name": ["邻县" + evil]},
                geometry=[shapely.box(X0 - 20_000, Y0, X0, size.corner[1])],
                crs=CRS,
            ),
            "water": gpd.GeoDataFrame(
                geometry=[
                    shapely.LineString([(X0 - 9e3, Y0 + 9e3), (X0 + 2e4, Y0 + 1.2e4), (X0 + 5e4, Y0 + 5e3)]).buffer(350)
                ],
                crs=CRS,
            ),
        },
    )
    coverage = _coverage(points, facilities)
    areas = gpd.GeoDataFrame(
        {"layer": list(TIERS)},
        geometry=[
            shapely.MultiPolygon([part]) if part.geom_type == "Polygon" else part
            for part in (shapely.union_all(shapely.buffer(f.geometry.to_numpy(), 900)) for f in facilities.values())
        ],
        crs=CRS,
    )
    return MapContent(
        config, layers, coverage, _verdicts(zones, evil), areas, "a1b2c3d4", dt.date(2026, 1, 5), builtin_profiles(),
        grid=_grid(config, layers), leaders=_leaders(facilities["elder_care"]),
    )  # fmt: skip


def _grid(config: StudyConfig, layers: Layers) -> TimeGrid:
    """Everybody walks straight over the fields, at 0.8 m/s, but for a swamp in the south-west and an island."""
    ground = lay_grid(layers, max_cells=300_000)
    x, y = ground.xy.T
    swamp = (x < X0 + 2_000) & (y < Y0 + 2_000)
    island = (x > layers.boundary.bounds[2] - 2_000) & (y < Y0 + 2_000)
    times = []
    for layer in config.facilities:
        places = shapely.get_coordinates(layers.facilities[layer.id].geometry.to_numpy())
        tree = cKDTree(places)
        far_m, nearest = tree.query(ground.xy)
        cutoff_s = np.where((layers.zones["area_type"] == "urban").to_numpy()[ground.zone], 900.0, 1800.0)
        near = [np.array(rows, dtype=np.int64) for rows in cKDTree(ground.xy).query_ball_point(places, 0.8 * 1800.0)]
        distance_m = [np.linalg.norm(ground.xy[rows] - place, axis=1) for rows, place in zip(near, places, strict=True)]
        within = [
            np.sort(rows[(metres <= 0.8 * cutoff_s[rows]) & ~swamp[rows] & ~island[rows]])
            for rows, metres in zip(near, distance_m, strict=True)
        ]
        nothing = swamp | island
        times.append(
            GroundTimes(
                layer.id,
                np.where(nothing, np.nan, far_m / 0.8),
                np.where(nothing, -1, nearest),
                ~swamp,
                np.concatenate([[0], np.cumsum([len(rows) for rows in within])]),
                np.concatenate(within).astype(np.int32),
            )
        )
    return TimeGrid(ground, tuple(times))


def _leaders(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """The first centre leads every station within the first half, the rest are led by none."""
    centre = frame.loc[frame["tier"] == "centre", "facility_id"].iloc[0]
    led = frame[frame["tier"] != "centre"].reset_index(drop=True)
    near = np.arange(len(led)) < len(led) // 2
    return pd.DataFrame(
        {
            "layer": "elder_care",
            "facility_id": led["facility_id"],
            "leader_id": np.where(near, centre, None),
            "minutes": np.where(near, 12.5, np.nan),
            "status": np.where(near, "led", "orphan"),
        }
    )


def _zones(evil: str, size: Size) -> gpd.GeoDataFrame:
    names = [
        "中山路",
        "胜利路",
        "南大街",
        "茶山竹海",
        "大安",
        "陈食",
        "卫星湖",
        "青峰",
        "金龙",
        "临江",
        "何埂",
        "松溉",
        "仙龙",
        "吉安",
        "五间",
        "来苏",
        "宝峰",
        "双石",
        "红炉",
        "永荣",
    ]
    side, count = size.side_m, size.columns * size.rows
    cells = np.array(
        [
            shapely.box(X0 + i * side, Y0 + j * side, X0 + (i + 1) * side, Y0 + (j + 1) * side)
            for j in range(size.rows)
            for i in range(size.columns)
        ]
    )
    if size.winding_m:  # a field that moves every point: neighbours keep a common border
        bend = size.winding_m
        cells = shapely.transform(
            shapely.segmentize(cells, side / 20),
            lambda xy: xy + bend * np.column_stack([np.sin(xy[:, 1] / 317.0), np.sin(xy[:, 0] / 271.0)]),
        )
    rows = {
        "zone_id": [f"5001{i:05d}" for i in range(count)],
        "name": [f"{names[i % 20]}{i // 20 or ''}镇" + (evil if i == 0 else "") for i in range(count)],
        "area_type": ["urban" if i < 5 else "rural" for i in range(count)],
    }
    return gpd.GeoDataFrame(rows, geometry=cells, crs=CRS)


def _config(evil: str, notice: str) -> StudyConfig:
    groups = {"elder_care": "elder_60", "childcare": "child_0_2", "medical": "total"}
    names = {"elder_care": "养老服务设施", "childcare": "托育机构", "medical": "医疗机构"}
    capacity = {"elder_care": ["beds", "nursing_beds"], "childcare": ["slots"], "medical": ["beds"]}
    return StudyConfig.model_validate(
        {
            "id": "toy",
            "title": {"zh": "玩具区十五分钟服务圈" + evil, "en": "Toy district" + evil},
            "date": "2025-12-31",
            "notice": notice + evil,
            "attribution": "合成数据" + evil,
            "zones": {"path": "zones.geojson"},
            "roads": {"path": "roads.parquet"},
            "population": {"kind": "raster", "path": "p.tif", "year": 2025, "source": "合成人口" + evil},
            "groups": [
                {"id": "elder_60", "name": {"zh": "60岁及以上", "en": "Aged 60+"}, "share": 0.2},
                {"id": "child_0_2", "name": "0–2岁" + evil, "share": 0.03},
            ],
            "facilities": [
                {
                    "id": layer,
                    "name": names[layer] + evil,
                    "kind": layer,
                    "path": f"{layer}.geojson",
                    "tiers": [{"id": tier, "name": tier + evil} for tier in tiers],
                    "capacity": capacity[layer],
                    "profile": "elder",
                    "group": groups[layer],
                    "cutoff_min": {"urban": 15, "rural": 30},
                }
                for layer, tiers in TIERS.items()
            ],
        }
    )


def _points(rng: np.random.Generator, zones: gpd.GeoDataFrame, size: Size) -> pd.DataFrame:
    x, y = size.scattered(rng, size.points)
    index = ((y - Y0) // size.side_m * size.columns + (x - X0) // size.side_m).astype(int)
    total = rng.gamma(1.0, 50.0, size.points)
    return pd.DataFrame(
        {
            "demand_id": [f"d{i:06d}" for i in range(size.points)],
            "zone_id": zones["zone_id"].to_numpy()[index],
            "x_m": x,
            "y_m": y,
            "total": total,
            "elder_60": total * 0.2,
            "child_0_2": total * 0.03,
        }
    )


def _facilities(rng: np.random.Generator, evil: str, size: Size) -> dict[str, gpd.GeoDataFrame]:
    frames = {}
    for layer, n in zip(TIERS, size.facilities, strict=True):
        tiers = TIERS[layer]
        x, y = size.scattered(rng, n)
        rank = np.minimum((rng.random(n) ** 0.4 * max(len(tiers), 1)).astype(int), max(len(tiers) - 1, 0))
        frame = {
            "facility_id": [f"{layer}{i:03d}" for i in range(n)],
            "name": [f"{layer} {i}{evil}" for i in range(n)],
            "tier": [tiers[r] if tiers else None for r in rank],
            "zone_id": [None] * n,
        }
        for column in ("beds", "nursing_beds", "slots"):
            frame[column] = np.where(rng.random(n) < 0.2, np.nan, rng.integers(5, 200, n))
        frames[layer] = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, y), crs=CRS)
    return frames


def _roads(rng: np.random.Generator, size: Size) -> Roads:
    ways, per = size.ways, 8
    start = np.column_stack(size.scattered(rng, ways, crowded=False))
    heading = rng.random(ways)[:, None] * 6.28 + np.cumsum(rng.normal(0, 0.35, (ways, per)), axis=1)
    kinds = np.array(["residential", "tertiary", "secondary", "primary", "motorway", "footway"])
    highway = rng.choice(kinds, ways, p=[0.6, 0.2, 0.06, 0.03, 0.01, 0.1])
    step = np.where(np.isin(highway, ["primary", "motorway"]), 1_500.0, 130.0)[:, None]
    xy = start[:, None, :] + np.cumsum(np.stack([np.cos(heading) * step, np.sin(heading) * step], axis=2), axis=1)
    tags = pd.DataFrame({"way_id": [str(i) for i in range(ways)], **dict.fromkeys(TAGS)})
    tags["highway"] = highway
    return Roads(xy.reshape(-1, 2), np.arange(ways * per), np.arange(0, ways * per + 1, per), tags)


def _coverage(points: pd.DataFrame, facilities: dict[str, gpd.GeoDataFrame]) -> CoverageResult:
    demand = points[["demand_id"]].copy()
    here = shapely.points(points[["x_m", "y_m"]].to_numpy())
    rows, reached = [], []
    groups = ("total", "elder_60", "child_0_2")
    for layer, frame in facilities.items():
        tree = shapely.STRtree(frame.geometry.to_numpy())
        demand[f"{layer}_covered"] = np.isin(
            np.arange(len(here)), tree.query(here, predicate="dwithin", distance=1_900)[0]
        )
        covered = demand[f"{layer}_covered"].to_numpy()
        for group in groups:
            people = points[group]
            table = pd.DataFrame({"zone_id": points["zone_id"], "population": people, "covered": people * covered})
            table = table.groupby("zone_id").sum().reset_index()
            rows.append(table.assign(layer=layer, group=group, share=table["covered"] / table["population"]))
        reached.append(
            pd.DataFrame(
                {"layer": layer, "facility_id": frame["facility_id"], **{f"catchment_{g}": 1234.5 for g in groups}}
            )
        )
    zones = pd.concat(rows, ignore_index=True)
    zones.loc[zones["zone_id"] == "500100019", ["share"]] = np.nan
    study = zones.groupby(["layer", "group"])[["population", "covered"]].sum().reset_index()
    study["share"] = study["covered"] / study["population"]
    summary = pd.concat([study.assign(scope=scope) for scope in ("study", "urban", "rural")], ignore_index=True)
    access = pd.DataFrame({"profile": sorted(builtin_profiles())})
    access = access.assign(**{f"unattached_{group}": 0.0 for group in summary["group"].unique()})
    return CoverageResult(demand, zones, summary, pd.concat(reached, ignore_index=True), access)


def _verdicts(zones: gpd.GeoDataFrame, evil: str) -> tuple[Verdict, ...]:
    by_zone = tuple(
        PlaceVerdict(z, n, 12.0, 12.0, 1.0, "behind", 30.0, None, None, 0, "")
        for z, n in zip(zones["zone_id"], zones["name"], strict=True)
    )
    rows = (
        ("met", 5500.0, 0.0, "binding"),
        ("on_track", 5100.0, 400.0, "expected"),
        ("behind", 3000.0, 2500.0, "binding"),
        ("no_data", None, None, "text"),
    )
    return tuple(
        Verdict(
            plan_id="plan", goal_id=f"g{i}", name_zh="养老机构床位数" + evil, name_en="Beds" + evil,
            measure="capacity_total", layer="elder_care", nature=nature, citation="《十四五规划》表2" + evil,
            verified=True, each=None, bound="at_least", target=5500.0, target_year=2025, baseline=3000.0,
            baseline_year=2020,
            expected=5500.0, value=value, amount=value, base=1.0, status=status, shortfall=short, progress=None,
            pace_per_year=None, scale="count", beside=None, with_sharing=None, without_sharing=None, unit="beds",
            note_zh="", note_en="", districts=(), zones=by_zone,
        )
        for i, (status, value, short, nature) in enumerate(rows)
    )  # fmt: skip
