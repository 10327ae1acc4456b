"""A siting asked for on the command line: what is not said has a default, what cannot be guessed is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from pydantic import ValidationError

from facility_coverage.config.document import describe
from facility_coverage.config.faults import did_you_mean, one_of
from facility_coverage.config.reading import LoadedStudy
from facility_coverage.config.siting import DISTANT, Problem, Siting
from facility_coverage.config.siting_goals import counted_tiers, goals_named, refusals
from facility_coverage.config.study import FacilityLayer
from facility_coverage.errors import ConfigError, Fault

ID = "asked"
SITES, SPACING_M, LONGEST_MIN = 5, 400.0, 60.0
"""How many sites are looked for, how far apart junctions are candidates, and up to how many minutes problems of travel
time look for trips, where nothing is said."""


@dataclass(frozen=True)
class Asked:
    """The options; None is what was not given."""

    layer: str | None = None
    sites: int | None = None
    spacing_m: float | None = None
    problem: str | None = None
    tier: str | None = None
    goal: str | None = None
    capacity: tuple[str, ...] = ()
    longest_min: float | None = None

    @property
    def said(self) -> bool:
        """Whether any option was given."""
        return any(value not in (None, ()) for value in asdict(self).values())


def sitings_of(asked: Asked, study: LoadedStudy, *, file: str) -> list[Siting]:
    """Return the siting that the options ask for, or without any those of the study.

    Raises
    ------
    ConfigError
        With every option that is missing or wrong; if nothing is asked for at all.
    """
    if not asked.said:
        if not study.config.siting:
            advice = "write siting: into it, or give --layer and --sites, or --goal"
            raise ConfigError([Fault(file, "the study asks for no sites", advice=advice)])
        return list(study.config.siting)
    layers = {layer.id: layer for layer in study.config.facilities}
    found = goals_named(asked.goal, study.plans) if asked.goal is not None else []
    goal: Any = found[0][1] if len(found) == 1 else None
    name = asked.layer or getattr(goal, "layer", None) or (next(iter(layers)) if len(layers) == 1 else None)
    layer = layers.get(str(name))
    faults = [*_of_layer(name, layers), *_of_numbers(asked)]
    served: dict[str, Any] = {"layer": name}
    if layer is not None:
        tier, missing = _tier(asked.tier, layer, goal)
        capacity, wrong = _capacity(asked.capacity, layer, goal)
        faults += [*missing, *wrong]
        served |= ({"tier": tier} if tier is not None else {}) | ({"capacity": capacity} if capacity else {})
    raw = {"id": ID, "name": {"zh": "临时选址", "en": "Sites asked for"}, "serves": [served], **_question(asked)}
    if asked.goal is not None and (layer is not None or goal is None) and not faults:
        dumped = {one.id: one.model_dump() for one in study.config.facilities}
        faults += [(_option(place), message, advice) for place, message, advice in refusals(raw, study.plans, dumped)]
    siting = None
    if not faults:
        try:
            siting = Siting.model_validate(raw)
        except ValidationError as error:
            faults += [(_option(one["loc"]), _plain(one["msg"]), "") for one in error.errors(include_url=False)]
    if siting is None:
        raise ConfigError([Fault(file, message, field=option, advice=advice) for option, message, advice in faults])
    return [siting]


_Said = tuple[str, str, str]
"""An option, what is wrong with it, what to do."""


def _question(asked: Asked) -> dict[str, Any]:
    """Return what is asked in the words of YAML."""
    keys: dict[str, Any] = {"spacing_m": SPACING_M if asked.spacing_m is None else asked.spacing_m}
    if asked.goal is not None:
        return keys | {"goal": asked.goal}
    problem = asked.problem or "mclp"
    if problem in DISTANT:
        keys["longest_min"] = asked.longest_min or LONGEST_MIN
    elif asked.longest_min is not None:
        keys["longest_min"] = asked.longest_min
    return keys | {"problem": problem} | ({} if problem == "lscp" else {"sites": asked.sites or SITES})


def _of_layer(name: str | None, layers: Mapping[str, FacilityLayer]) -> Iterator[_Said]:
    if name is None:
        yield "--layer", "is missing: the study has several facility layers", f"give one of {one_of(layers)}"
    elif name not in layers:
        yield "--layer", f"{describe(name)} is not one of {one_of(layers)}", did_you_mean(name, layers)


def _of_numbers(asked: Asked) -> Iterator[_Said]:
    """Yield options that do not go together, and a problem that there is not."""
    known = get_args(Problem)
    if asked.problem is not None and asked.problem not in known:
        yield (
            "--problem",
            f"{describe(asked.problem)} is not one of {one_of(known)}",
            did_you_mean(asked.problem, known),
        )
    if asked.goal is not None:
        said = (("--sites", asked.sites), ("--problem", asked.problem), ("--longest-min", asked.longest_min))
        for option, value in said:
            if value is not None:
                yield option, "does not go with --goal, which says how many sites are needed", "leave one of them out"
    elif asked.problem == "lscp" and asked.sites is not None:
        yield "--sites", "does not go with --problem lscp, which looks for the fewest", "leave one of them out"


def _tier(tier: str | None, layer: FacilityLayer, goal: Any) -> tuple[str | None, list[_Said]]:
    """Return the tier of a new facility: that of the goal where it names one."""
    tiers = [one.id for one in layer.tiers]
    if tier is None and goal is not None and goal.layer == layer.id:
        counted = counted_tiers(goal, layer.model_dump()) or []
        own = [one for one in counted if one in (goal.tier or ())]
        tier = own[0] if len(own) == 1 else None
    if tier is None and tiers:
        return None, [("--tier", f"is missing: the layer {layer.id!r} has tiers", f"give one of {one_of(tiers)}")]
    if tier is not None and tier not in tiers:
        options = one_of(tiers) if tiers else "nothing: the layer has no tiers"
        return None, [("--tier", f"{describe(tier)} is not one of {options}", did_you_mean(tier, tiers))]
    return tier, []


def _capacity(pairs: Sequence[str], layer: FacilityLayer, goal: Any) -> tuple[dict[str, float], list[_Said]]:
    """Return what a new facility holds, of texts such as ``beds=30``."""
    held: dict[str, float] = {}
    faults: list[_Said] = []
    for pair in pairs:
        column, _, text = pair.partition("=")
        try:
            number = float(text)
        except ValueError:
            faults.append(("--capacity", f"{describe(pair)} is no column and number", "write e.g. --capacity beds=30"))
            continue
        if column not in layer.capacity:
            message = f"{describe(column)} is not one of {one_of(layer.capacity)}"
            faults.append(("--capacity", message, did_you_mean(column, layer.capacity)))
        held[column] = number
    counted = getattr(goal, "capacity", None)
    if counted is not None and goal.layer == layer.id and not held.get(counted, 0.0) > 0 and not faults:
        message = f"is missing: the goal {goal.id!r} counts {counted}, and a new site holds none"
        faults.append(("--capacity", message, f"say what it would hold: --capacity {counted}=30"))
    return held, faults


def _option(place: Sequence[int | str]) -> str:
    """Return the option that stands for a key of YAML."""
    named = {"goal", "layer", "tier", "capacity", "sites", "spacing_m", "problem", "longest_min"}
    word = next((str(part) for part in reversed(place) if part in named), "")
    return f"--{word.replace('_', '-')}" if word else "siting"


def _plain(message: str) -> str:
    """Return a message of pydantic as ours begin."""
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
