"""The towns of the sample: real names and codes; seats, sizes and ages are made up."""

from __future__ import annotations

from dataclasses import dataclass

DISTRICTS = {"500118": "永川区", "510521": "泸县", "510522": "合江县"}


@dataclass(frozen=True)
class Town:
    """A town or subdistrict.

    Attributes
    ----------
    zone_id, name
        Official code and name.
    urban
        Whether its area type is urban.
    seat_km
        Kilometres east and north of the centre of Yongchuan.
    seat_people
        People living in the built-up seat.
    radius_m
        Radius of the built-up seat.
    share_60_plus, share_0_2
        Shares of all people.
    """

    zone_id: str
    name: str
    urban: bool
    seat_km: tuple[float, float]
    seat_people: int
    radius_m: float
    share_60_plus: float
    share_0_2: float

    @property
    def district_id(self) -> str:
        """Code of the district."""
        return self.zone_id[:6]


TOWNS = (
    Town("500118001", "中山路街道", True, (-1.4, 1.7), 210_000, 2600, 0.176, 0.0221),
    Town("500118002", "胜利路街道", True, (-2.9, -1.3), 165_000, 2200, 0.189, 0.0208),
    Town("500118003", "南大街街道", True, (1.7, -1.6), 170_000, 2400, 0.168, 0.0236),
    Town("500118004", "茶山竹海街道", False, (-6.6, 6.8), 7_000, 520, 0.262, 0.0141),
    Town("500118005", "卫星湖街道", True, (-3.0, -9.6), 19_000, 800, 0.207, 0.0179),
    Town("500118006", "大安街道", True, (6.2, 4.6), 24_000, 950, 0.221, 0.0183),
    Town("500118007", "陈食街道", False, (8.6, -5.0), 15_000, 720, 0.238, 0.0167),
    Town("500118102", "临江镇", False, (5.0, -14.5), 11_000, 620, 0.257, 0.0148),
    Town("500118104", "何埂镇", False, (6.0, -20.8), 14_000, 680, 0.264, 0.0144),
    Town("500118105", "松溉镇", False, (-0.6, -30.6), 10_000, 560, 0.283, 0.0126),
    Town("500118106", "朱沱镇", False, (-8.6, -36.4), 25_000, 900, 0.259, 0.0151),
    Town("500118107", "仙龙镇", False, (-11.5, -25.6), 8_500, 540, 0.291, 0.0124),
    Town("500118108", "五间镇", False, (-10.2, -15.2), 9_000, 560, 0.272, 0.0137),
    Town("500118109", "来苏镇", False, (-12.2, -6.8), 16_000, 740, 0.249, 0.0156),
    Town("500118110", "宝峰镇", False, (-19.4, -6.6), 5_500, 440, 0.298, 0.0116),
    Town("500118111", "红炉镇", False, (-19.6, 2.2), 9_500, 560, 0.279, 0.0131),
    Town("500118112", "永荣镇", False, (-14.6, 7.0), 7_000, 500, 0.268, 0.0128),
    Town("500118113", "双石镇", False, (-9.6, 1.6), 12_000, 640, 0.246, 0.0153),
    Town("500118114", "三教镇", False, (-7.6, 15.6), 22_000, 900, 0.233, 0.0172),
    Town("500118115", "板桥镇", False, (-1.2, 17.6), 8_500, 540, 0.276, 0.0133),
    Town("500118116", "青峰镇", False, (-16.4, -13.2), 7_500, 500, 0.287, 0.0121),
    Town("500118117", "金龙镇", False, (3.4, 11.4), 7_000, 480, 0.281, 0.0127),
    Town("500118118", "吉安镇", False, (-18.4, -20.6), 8_000, 520, 0.294, 0.0119),
    Town("510521110", "石桥镇", False, (-26.4, -13.2), 12_000, 600, 0.271, 0.0142),
    Town("510521115", "立石镇", False, (-26.0, -22.4), 14_000, 660, 0.266, 0.0149),
    Town("510521116", "百和镇", False, (-17.4, -29.8), 9_000, 540, 0.284, 0.0135),
    Town("510522101", "望龙镇", False, (-16.6, -37.8), 8_000, 520, 0.288, 0.0132),
    Town("510522110", "白鹿镇", False, (-8.2, -43.2), 9_500, 560, 0.277, 0.0139),
)
