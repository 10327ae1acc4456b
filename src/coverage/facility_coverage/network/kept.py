"""Graphs kept on disk between runs."""

from __future__ import annotations

from dataclasses import fields

from facility_coverage.cache import Cache, Stored, key_of
from facility_coverage.config.profile import Profile
from facility_coverage.layers.model import Roads
from facility_coverage.network.graph import Dropped, Graph, build_graph

#: Keys of a profile that change no graph: texts, and the direction of the search.
_ELSEWHERE = {"name", "source", "sources", "direction"}


def graph_of(
    roads: Roads, profile: Profile, *, min_component_nodes: int, file: str, cache: Cache | None = None
) -> tuple[Graph, Dropped]:
    """Return the graph of `build_graph`, from the cache where the same roads and profile have been here before.

    Parameters
    ----------
    roads, profile, min_component_nodes, file
        As for `build_graph`; roads without a digest are not kept.
    cache
        Where to keep it; by default where the environment says.

    Raises
    ------
    NetworkError
        As `build_graph` does.
    """

    def make() -> Stored:
        graph, dropped = build_graph(roads, profile, min_component_nodes=min_component_nodes, file=file)
        arrays = {field.name: getattr(graph, field.name) for field in fields(Graph) if field.name != "node_count"}
        return Stored(
            arrays=arrays | {"dropped_xy": dropped.xy, "dropped_start": dropped.start},
            figures={
                "node_count": graph.node_count, "component_count": dropped.component_count,
                "length_m": dropped.length_m, "report": dropped.report,
            },
        )  # fmt: skip

    deciding = profile.model_dump(mode="json", exclude=_ELSEWHERE)
    key = key_of("graph", roads.digest, profile=deciding, min_component_nodes=min_component_nodes)
    kept = (cache or Cache.from_environment()).stored(key, make)
    arrays, figures = dict(kept.arrays), kept.figures
    dropped = Dropped(
        component_count=figures["component_count"], length_m=figures["length_m"], xy=arrays.pop("dropped_xy"),
        start=arrays.pop("dropped_start"), report=figures["report"],
    )  # fmt: skip
    return Graph(**arrays, node_count=figures["node_count"]), dropped
