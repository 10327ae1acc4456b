"""What reading found row by row, as findings: zones that do not fit, codes cut short, what was merged."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from facility_coverage.analysis.findings import Finding, Rank, finding
from facility_coverage.layers.model import Layers

#: People rescaled by more than this share of what the source holds are a warning.
FAR_FROM_CONTROL = 0.2


def details_findings(layers: Layers) -> list[Finding]:
    """Return the findings in ``layers.details``; a study without any has none.

    Parameters
    ----------
    layers
        The study's data.
    """
    zones = ", ".join(layers.counts.loc[layers.counts["layer"] == "zones", "file"])
    none = pd.DataFrame()
    details = layers.details
    return [
        *_misfits(details.get("topology", none), zones),
        *_repairs(details.get("repairs", none), zones),
        *_crossings(details.get("districts", none), zones),
        *_codes(details.get("codes", none)),
        *_merged(details.get("duplicates", none)),
        *_controls(details.get("controls", none)),
    ]


def _misfits(table: pd.DataFrame, file: str) -> Iterator[Finding]:
    """Zones that overlap, leave gaps or leave the boundary; what was repaired is told with the repairs."""
    if table.empty:
        return
    left = table[~table["repaired"].astype(bool)]
    codes: dict[str, tuple[Rank, str]] = {
        "overlap": ("note", "zone_overlap"),
        "gap": ("warning", "zone_gap"),
        "beyond_boundary": ("note", "zone_beyond_boundary"),
    }
    for kind, (rank, code) in codes.items():
        rows = left[left["kind"] == kind]
        if len(rows):
            said = [f"{ids} ({area:,.0f} m²)" for ids, area in zip(rows["zones"], rows["area_m2"], strict=True)]
            yield finding(rank, code, "zones", file, where=said, count=len(rows), area_m2=float(rows["area_m2"].sum()))
    rows = left[left["kind"] == "open_gap"]
    if len(rows):
        said = [f"{ids} ({length:,.0f} m)" for ids, length in zip(rows["zones"], rows["length_m"], strict=True)]
        length = float(rows["length_m"].sum())
        yield finding("warning", "zone_open_gap", "zones", file, where=said, count=len(rows), length_m=length)


def _repairs(table: pd.DataFrame, file: str) -> Iterator[Finding]:
    if len(table):
        areas = zip(table["zone_id"], table["area_before_m2"], table["area_after_m2"], strict=True)
        said = [f"{zone} ({_square_metres(before)} → {after:,.0f} m²)" for zone, before, after in areas]
        rings = int((table["ring"] != "").sum())
        yield finding("note", "zone_repaired", "zones", file, where=said, count=len(table), rings=rings)


def _square_metres(area: float) -> str:
    return "?" if pd.isna(area) else f"{area:,.0f}"


def _crossings(table: pd.DataFrame, file: str) -> Iterator[Finding]:
    if len(table):
        rows = zip(table["zone_id"], table["area_m2"], table["share"], strict=True)
        said = [f"{zone} ({area:,.0f} m², {share:.1%})" for zone, area, share in rows]
        area = float(table["area_m2"].sum())
        yield finding("warning", "zone_crosses_district", "zones", file, where=said, count=len(table), area_m2=area)


def _codes(table: pd.DataFrame) -> Iterator[Finding]:
    for row in table.to_dict("records"):
        yield finding(
            "warning", "code_lengths", row["layer"], row["file"], where=[row["code"]], column=row["column"],
            count=row["short_count"], length=row["length"],
        )  # fmt: skip


def _merged(table: pd.DataFrame) -> Iterator[Finding]:
    """Facilities that were made one; those that were not are the doctor's own."""
    if table.empty:
        return
    for layer, rows in table[table["merged"].astype(bool)].groupby("layer", sort=False):
        pairs = zip(rows["first"], rows["second"], rows["distance_m"], strict=True)
        said = [f"{first} = {second} ({metres:,.0f} m)" for first, second, metres in pairs]
        files = ", ".join(dict.fromkeys([*rows["first_file"], *rows["second_file"]]))
        yield finding("note", "facility_merged", str(layer), files, where=said, count=len(rows))


def _controls(table: pd.DataFrame) -> Iterator[Finding]:
    """Zones whose people are far from their control totals; else, that all are near."""
    known = table[table["control"].notna() & table["factor"].notna()] if len(table) else table
    for group, rows in known.groupby("group", sort=False) if len(known) else ():
        off = (rows["factor"] - 1.0).abs()
        far = rows[off > FAR_FROM_CONTROL]
        who = far["zone_id"].fillna("*")  # the whole study
        said = [f"{zone} (× {factor:.2f})" for zone, factor in zip(who, far["factor"], strict=True)]
        rank: Rank = "warning" if len(far) else "note"
        code = "control_far" if len(far) else "control_near"
        yield finding(rank, code, "population", "", where=said, count=len(far) or len(rows), group=str(group),
                      largest_share=float(off.max()))  # fmt: skip
