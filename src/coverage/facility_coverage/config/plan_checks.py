"""Faults of plans that no single value shows: names that the study has not, units and years that do not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from facility_coverage.config.checks import entries, ids, repeated, unknown
from facility_coverage.config.document import Document, Place, describe
from facility_coverage.config.faults import did_you_mean, one_of
from facility_coverage.config.measures import MEASURES, SHARES
from facility_coverage.errors import Fault

_UNITS = {
    "facility_count": "facilities", "capacity_total": "{capacity}", "capacity_per_1000": "{capacity} per 1000",
    "area_per_person": "m2", "accessibility": "{capacity} per 1000",
    "travel_time": "minutes", "facilities_in_reach": "facilities", **dict.fromkeys(SHARES, "share"),
}  # fmt: skip
_TAKEN = {get_args(one.model_fields["measure"].annotation)[0]: frozenset(one.model_fields) for one in MEASURES}
_OR_NO_DATA = "name it under `no_data:` if the study has no such data"


@dataclass(frozen=True)
class Known:
    """What the study has, for the names of its plans.

    Attributes
    ----------
    layers
        Facility layers as written, by id.
    groups, areas, profiles
        Their ids.
    no_data
        What the study says it has no data for.
    """

    layers: Mapping[str, dict[str, Any]]
    groups: Collection[str]
    areas: Collection[str]
    profiles: Collection[str]
    no_data: Collection[str]

    @classmethod
    def of(cls, study: dict[str, Any], profiles: Collection[str]) -> Known:
        """Return what a study file names."""
        layers: dict[str, Any] = {}
        for _, entry in entries(study.get("facilities")):
            if isinstance(entry.get("id"), str):
                layers.setdefault(entry["id"], entry)
        absent = study.get("no_data")
        return cls(
            layers,
            ("total", *ids(study.get("groups"))),
            ids(study.get("areas")),
            sorted(profiles),
            [name for name in absent if isinstance(name, str)] if isinstance(absent, list) else (),
        )

    def of_layer(self, layer: object, key: str) -> list[str] | None:
        """Return the names that a layer has under a key; None where the layer is not known."""
        entry = self.layers.get(layer) if isinstance(layer, str) else None
        if entry is None:
            return None
        listed = ids(entry.get(key)) if key == "tiers" else entry.get(key, [])
        return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else None


def check_plan(document: Document, under: Place, plan: dict[str, Any], known: Known) -> list[Fault]:
    """Return the faults of a plan (in place `under` of its document) against what the study has."""
    faults = list(repeated(document, (*under, "goals"), plan.get("goals")))
    for i, goal in entries(plan.get("goals")):
        place = (*under, "goals", i)
        # What the measure does not take has been refused already.
        taken = {key: value for key, value in goal.items() if key in _TAKEN.get(str(goal.get("measure")), goal)}
        faults += _references(document, place, taken, known)
        faults += _figures(document, place, goal)
        faults += _years(document, place, goal)
        faults += _units(document, place, goal)
    return faults


def check_catalogue(document: Document, known: Known) -> list[Fault]:
    """Return the faults of a catalogue against what the study has."""
    content = document.content
    faults = [*repeated(document, ("categories",), content.get("categories"))]
    faults += unknown(document, ("profile",), content.get("profile"), known.profiles)
    for i, category in entries(content.get("categories")):
        place: Place = ("categories", i, "services")
        faults += repeated(document, place, category.get("services"))
        for k, service in entries(category.get("services")):
            faults += _references(document, (*place, k), service, known)
    return faults


def check_no_data(document: Document, known: Known) -> list[Fault]:
    """Return faults of `no_data` that names what the study has."""
    faults = []
    for i, name in enumerate(known.no_data):
        layer, _, part = name.partition(".")
        if part:
            has = any(part in (known.of_layer(layer, key) or ()) for key in ("tiers", "capacity", "attributes"))
        else:
            has = name in known.layers or name in known.groups or name in known.areas
        if has:
            message = f"the study has {describe(name)}"
            faults.append(document.fault(("no_data", i), message, advice="leave it out here"))
    return faults


def _references(document: Document, place: Place, goal: dict[str, Any], known: Known) -> Iterator[Fault]:
    for end in ("", "with_"):
        layer = goal.get(f"{end}layer")
        yield from _absent(document, (*place, f"{end}layer"), layer, list(known.layers), known)
        yield from _parts(document, (*place, f"{end}tier"), layer, goal.get(f"{end}tier"), "tiers", known)
    for key, listed in (("capacity", "capacity"), ("part", "capacity"), ("attribute", "attributes")):
        yield from _parts(document, (*place, key), goal.get("layer"), goal.get(key), listed, known)
    yield from _absent(document, (*place, "group"), goal.get("group"), known.groups, known)
    scope = goal.get("scope")
    area = scope.get("area") if isinstance(scope, dict) else None
    yield from _absent(document, (*place, "scope", "area"), area, known.areas, known)
    yield from _absent(document, (*place, "units"), goal.get("units"), ("zones", "districts", *known.areas), known)
    yield from unknown(document, (*place, "profile"), goal.get("profile"), known.profiles)


def _absent(document: Document, place: Place, value: Any, options: Collection[str], known: Known) -> Iterator[Fault]:
    """Yield a fault of a name that the study neither has nor says it has not."""
    if isinstance(value, str) and value not in options and value not in known.no_data:
        advice = did_you_mean(value, options) or _OR_NO_DATA
        yield document.fault(place, f"{describe(value)} is not one of {one_of(options)}", advice=advice)


def _parts(document: Document, place: Place, layer: Any, value: Any, key: str, known: Known) -> Iterator[Fault]:
    """Yield faults of tiers or columns that a layer has not."""
    options = known.of_layer(layer, key)
    names = value if isinstance(value, list) else [value]
    for i, name in enumerate(names):
        if options is None or not isinstance(name, str) or name in options or f"{layer}.{name}" in known.no_data:
            continue
        at = (*place, i) if isinstance(value, list) else place
        advice = did_you_mean(name, options) or _OR_NO_DATA.replace("it", f"{layer}.{name}", 1)
        yield document.fault(at, f"{describe(name)} is not one of {one_of(options)}", advice=advice)


def _figures(document: Document, place: Place, goal: dict[str, Any]) -> Iterator[Fault]:
    """Yield shares above 1: a percentage by mistake."""
    if goal.get("measure") not in SHARES:
        return
    steps = goal.get("milestones")
    figures: list[tuple[Place, Any]] = [((key,), goal.get(key)) for key in ("target", "baseline")]
    figures += [(("milestones", i), step) for i, step in entries(steps)]
    for key, figure in figures:
        value = figure.get("value") if isinstance(figure, dict) else None
        if isinstance(value, int | float) and value > 1:
            advice = f"100 % is written 1, {value:g} % as {value / 100:g}"
            yield document.fault((*place, *key, "value"), f"{value:g} is not a share of 0–1", advice=advice)


def _years(document: Document, place: Place, goal: dict[str, Any]) -> Iterator[Fault]:
    """Yield a baseline that is not before the target."""
    target, baseline = goal.get("target"), goal.get("baseline")
    if isinstance(target, dict) and isinstance(baseline, dict):
        start, end = baseline.get("year"), target.get("year")
        if isinstance(start, int) and isinstance(end, int) and start >= end:
            message = f"the baseline's year {start} is not before the target's year {end}"
            yield document.fault((*place, "baseline", "year"), message)


def _units(document: Document, place: Place, goal: dict[str, Any]) -> Iterator[Fault]:
    """Yield a unit that is not that of the measure."""
    measure, unit = goal.get("measure"), goal.get("unit")
    if not isinstance(unit, str) or not isinstance(measure, str) or measure not in _UNITS:
        return
    fits = _UNITS[measure].format(capacity=goal.get("capacity"))
    if unit != fits:
        advice = f"{measure} is in {fits!r}" + ("; 60 % is written 0.6" if fits == "share" else "")
        yield document.fault((*place, "unit"), f"the unit {describe(unit)} does not fit", advice=advice)
