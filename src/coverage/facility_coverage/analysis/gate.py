"""The gate: goals that must be met for a pipeline to go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.faults import did_you_mean
from facility_coverage.config.plan import Plan
from facility_coverage.errors import ConfigError, Fault

EVERY = "all"
NATURES = ("binding", "expected", "text")


def gate_goals(asked: str, plans: Iterable[Plan], *, file: str) -> frozenset[tuple[str, str]]:
    """Return plan and id of the goals that must be met; goals without a target are never among them.

    Parameters
    ----------
    asked
        ``binding``, ``expected``, ``text``, ``all``, or ids of goals, with commas between; empty asks for none.
    plans
        Plans of the study.
    file
        The study, for faults.

    Raises
    ------
    ConfigError
        If a word is no nature and no goal with a target.
    """
    goals = [(plan.id, goal) for plan in plans for goal in plan.goals if goal.target is not None]
    chosen: set[tuple[str, str]] = set()
    faults = []
    for word in dict.fromkeys(part.strip() for part in asked.split(",") if part.strip()):
        found = {(plan, goal.id) for plan, goal in goals if word in (EVERY, goal.nature, goal.id)}
        if not found and word not in (EVERY, *NATURES):
            options = [*NATURES, EVERY, *(goal.id for _, goal in goals)]
            message = f"--require-met names {word!r}, which is no goal with a target"
            faults.append(Fault(file, message, advice=did_you_mean(word, options) or "give binding, all, or ids"))
        chosen |= found
    if faults:
        raise ConfigError(faults)
    return frozenset(chosen)


def not_met(verdicts: Sequence[Verdict], goals: frozenset[tuple[str, str]]) -> list[Verdict]:
    """Return the verdicts of these goals that are not met; no data is not met."""
    return [one for one in verdicts if (one.plan_id, one.goal_id) in goals and one.status != "met"]
