import pandas as pd
import pytest

from facility_coverage.network.access import walkable

# Read from the OpenStreetMap wiki (Key:access, Key:foot, Key:highway): highway, foot, access → may one walk along it?
RULES = [
    ("residential", None, None, True),
    ("primary", None, None, True),
    ("footway", None, None, True),
    ("path", None, None, True),
    ("pedestrian", None, None, True),
    ("steps", None, None, True),
    ("track", None, None, True),
    ("living_street", None, None, True),
    ("motorway", None, None, False),
    ("motorway_link", None, None, False),
    ("motorway", "yes", None, True),
    ("busway", None, None, False),
    ("construction", None, None, False),
    ("construction", "yes", None, False),
    ("proposed", "designated", None, False),
    ("rest_area", None, None, False),
    ("residential", "no", None, False),
    ("residential", "private", None, False),
    ("primary", "use_sidepath", None, False),
    ("service", None, "private", False),
    ("service", None, "no", False),
    ("service", None, "destination", True),
    ("service", None, "customers", True),
    ("service", None, "permissive", True),
    ("service", "yes", "private", True),
    ("service", "designated", "no", True),
    ("service", "no", "yes", False),
    ("track", None, "forestry", False),
    ("path", "discouraged", None, True),
    ("motorway", "discouraged", None, False),
    ("via_ferrata", None, None, False),
    (None, "yes", None, False),
]


@pytest.mark.parametrize(("highway", "foot", "access", "allowed"), RULES)
def test_the_most_specific_tag_wins(highway: str | None, foot: str | None, access: str | None, allowed: bool) -> None:
    tags = pd.DataFrame({"highway": [highway], "foot": [foot], "access": [access], "motorroad": None}, dtype=object)
    assert walkable(tags).tolist() == [allowed]


def test_stairs_are_forbidden_to_those_who_cannot_climb_them_whatever_foot_says() -> None:
    tags = pd.DataFrame({"highway": ["steps", "steps", "footway"], "foot": [None, "yes", None]}, dtype=object)
    tags = tags.assign(access=None, motorroad=None)
    assert walkable(tags, stairs=False).tolist() == [False, False, True]


def test_a_road_for_motors_is_closed_unless_foot_opens_it() -> None:
    ways = {"highway": ["trunk", "trunk", "primary"], "foot": [None, "yes", None], "access": None, "motorroad": "yes"}
    assert walkable(pd.DataFrame(ways, dtype=object)).tolist() == [False, True, True]
