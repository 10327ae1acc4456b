"""What OpenStreetMap calls the facilities of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class OsmKind:
    """A kind of facility and the tags of its objects.

    Attributes
    ----------
    zh, en
        The kind's name in Chinese and English.
    any_of
        Sets of tags, key → accepted values: an object is of the kind if it has all tags of at least one set.
    meaning
        What mappers mean by these tags.
    page
        Page of the OpenStreetMap wiki (wiki.openstreetmap.org) that defines the first of them.
    """

    zh: str
    en: str
    any_of: tuple[Mapping[str, tuple[str, ...]], ...]
    meaning: str
    page: str

    def has(self, tags: Mapping[str, str]) -> bool:
        """Tell whether an object with these tags is of the kind.

        Examples
        --------
        >>> KINDS["elder_care"].has({"amenity": "social_facility", "social_facility:for": "senior"})
        True
        >>> KINDS["elder_care"].has({"amenity": "social_facility", "social_facility:for": "homeless"})
        False
        """
        return any(all(tags.get(key) in values for key, values in one.items()) for one in self.any_of)


_OF_SENIORS = ("senior", "seniors", "elderly")

KINDS: Mapping[str, OsmKind] = MappingProxyType(
    {
        "elder_care": OsmKind(
            "养老服务设施",
            "Elder care",
            (
                {"amenity": ("social_facility",), "social_facility:for": _OF_SENIORS},
                {"amenity": ("social_facility",), "social_facility": ("assisted_living", "nursing_home")},
                {"amenity": ("nursing_home", "retirement_home")},
            ),
            "places that serve older people, residential or not; homes with nursing or assistance",
            "Tag:social_facility:for=senior",
        ),
        "nursing_home": OsmKind(
            "养老院",
            "Nursing homes",
            (
                {"amenity": ("social_facility",), "social_facility": ("assisted_living", "nursing_home")},
                {"amenity": ("nursing_home", "retirement_home")},
            ),
            "homes with nursing or assistance; `amenity=nursing_home` and `retirement_home` are older tags for them",
            "Tag:social_facility=nursing_home",
        ),
        "childcare": OsmKind(
            "托育机构",
            "Childcare",
            ({"amenity": ("childcare",)},),
            "care of small children that is no kindergarten, such as a nursery",
            "Tag:amenity=childcare",
        ),
        "kindergarten": OsmKind(
            "幼儿园",
            "Kindergartens",
            ({"amenity": ("kindergarten",)},),
            "care and teaching of children before school age",
            "Tag:amenity=kindergarten",
        ),
        "clinic": OsmKind(
            "诊所",
            "Clinics",
            ({"amenity": ("clinic",)}, {"healthcare": ("centre", "clinic")}),
            "medical centres with several staff and no beds for the night; `healthcare=centre` is used loosely",
            "Tag:amenity=clinic",
        ),
        "hospital": OsmKind(
            "医院",
            "Hospitals",
            ({"amenity": ("hospital",)}, {"healthcare": ("hospital",)}),
            "institutions with in-patients",
            "Tag:amenity=hospital",
        ),
        "doctors": OsmKind(
            "医生诊室",
            "Doctors",
            ({"amenity": ("doctors",)}, {"healthcare": ("doctor",)}),
            "practices of doctors",
            "Tag:amenity=doctors",
        ),
        "pharmacy": OsmKind(
            "药店",
            "Pharmacies",
            ({"amenity": ("pharmacy",)}, {"healthcare": ("pharmacy",)}),
            "shops where a pharmacist sells medicine",
            "Tag:amenity=pharmacy",
        ),
        "school": OsmKind(
            "学校",
            "Schools",
            ({"amenity": ("school",)},),
            "primary, middle and secondary schools",
            "Tag:amenity=school",
        ),
        "library": OsmKind(
            "图书馆",
            "Libraries",
            ({"amenity": ("library",)},),
            "public libraries that lend books",
            "Tag:amenity=library",
        ),
        "community_centre": OsmKind(
            "社区活动中心",
            "Community centres",
            ({"amenity": ("community_centre",)},),
            "places for local events and meetings",
            "Tag:amenity=community_centre",
        ),
        "park": OsmKind(
            "公园",
            "Parks",
            ({"leisure": ("park",)},),
            "parks open to the public",
            "Tag:leisure=park",
        ),
        "sports": OsmKind(
            "体育场馆",
            "Sports grounds",
            ({"leisure": ("pitch", "sports_centre", "stadium")},),
            "pitches, sports centres and stadiums",
            "Tag:leisure=sports_centre",
        ),
        "market": OsmKind(
            "菜市场",
            "Markets",
            ({"amenity": ("marketplace",)},),
            "places where markets are held",
            "Tag:amenity=marketplace",
        ),
        "supermarket": OsmKind(
            "超市",
            "Supermarkets",
            ({"shop": ("supermarket",)},),
            "large shops for food",
            "Tag:shop=supermarket",
        ),
        "bus_stop": OsmKind(
            "公交站",
            "Bus stops",
            ({"highway": ("bus_stop",)},),
            "places where buses stop",
            "Tag:highway=bus_stop",
        ),
        "toilets": OsmKind(
            "公共厕所",
            "Public toilets",
            ({"amenity": ("toilets",)},),
            "public toilets",
            "Tag:amenity=toilets",
        ),
        "post_office": OsmKind(
            "邮局",
            "Post offices",
            ({"amenity": ("post_office",)},),
            "post offices",
            "Tag:amenity=post_office",
        ),
        "police": OsmKind(
            "派出所",
            "Police stations",
            ({"amenity": ("police",)},),
            "police stations",
            "Tag:amenity=police",
        ),
        "fire_station": OsmKind(
            "消防站",
            "Fire stations",
            ({"amenity": ("fire_station",)},),
            "fire stations",
            "Tag:amenity=fire_station",
        ),
    }
)


def values_of(kinds: Iterable[str]) -> dict[str, list[str]]:
    """Return the fewest key → values under which all objects of the kinds are found, and some others.

    Of each set of tags one key is enough to ask for; `OsmKind.has` then leaves the others out.

    Examples
    --------
    >>> values_of(["nursing_home", "park"])
    {'amenity': ['nursing_home', 'retirement_home', 'social_facility'], 'leisure': ['park']}
    """
    found: dict[str, set[str]] = {}
    for kind in kinds:
        for tags in KINDS[kind].any_of:
            key = next(iter(tags))
            found.setdefault(key, set()).update(tags[key])
    return {key: sorted(values) for key, values in sorted(found.items())}
