"""Pace: a profile that is slower or faster as a whole, and whether its travel times follow evenly."""

from __future__ import annotations

from facility_coverage.config.profile import Profile

_SPEEDS = ("level_speed_kmh", "stairs_speed_kmh", "access_speed_kmh")


def at_pace(profile: Profile, factor: float) -> Profile:
    """Return a profile with every speed of its own multiplied by a factor.

    Ferries keep their speed, drivers the seconds lost at junctions, and `maxspeed` still lowers what it lowered.

    Examples
    --------
    >>> walker = Profile(name="walker", level_speed_kmh=4.0, stairs_speed_kmh=2.0, source="an example")
    >>> slower = at_pace(walker, 0.5)
    >>> slower.level_speed_kmh, slower.stairs_speed_kmh, slower.access_speed_kmh
    (2.0, 1.0, None)
    """
    changed: dict[str, object] = {
        key: factor * value for key in _SPEEDS if (value := getattr(profile, key)) is not None
    }
    if profile.speeds_kmh is not None:
        changed["speeds_kmh"] = {name: factor * speed for name, speed in profile.speeds_kmh.items()}
    return profile.model_copy(update=changed)


def paces_evenly(profile: Profile) -> bool:
    """Tell whether every trip of a profile takes exactly ``1 / factor`` times as long after `at_pace`.

    That is so on foot without ferries: level ground, slopes, stairs and access legs all follow the factor. A car is
    held by `maxspeed` and by junctions, a ferry goes as it goes: their networks are to be built anew.
    """
    return profile.mode == "foot" and profile.ferry_speed_kmh is None
