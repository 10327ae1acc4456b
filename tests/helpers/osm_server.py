"""A small world of OpenStreetMap elements, and a server on the loopback that speaks Overpass and Nominatim about it."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import osmium
import shapely
from osmium.osm.mutable import Node, Relation, Way

STAMP = "2026-11-20T08:00:00Z"

ORDER = ["node", "way", "relation"]

_SELECT = re.compile(r"(node|way|relation)((?:\[[^\]]*\])+)\(poly:'([^']*)'\)")
_TAG = re.compile(r"""\[["']([^"']+)["'](?:=["']([^"']*)["'])?\]""")


@dataclass
class World:
    """Elements in the form that Overpass sends."""

    elements: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> World:
        """Take the elements of an extract."""
        world, kinds = cls(), {kind[0]: kind for kind in ORDER}
        item: Any
        for item in osmium.FileProcessor(str(path)):
            tags = {key.replace(":", "__"): value for key, value in dict(item.tags).items()}
            if item.is_node():
                world.elements["node", item.id] = {"type": "node", "id": item.id, "lat": item.lat, "lon": item.lon}
            elif item.is_way():
                refs = [node.ref for node in item.nodes]
                world.elements["way", item.id] = {"type": "way", "id": item.id, "nodes": refs}
            else:
                members = [{"type": kinds[one.type], "ref": one.ref, "role": one.role} for one in item.members]
                world.elements["relation", item.id] = {"type": "relation", "id": item.id, "members": members}
            world.elements[kinds[item.type_str()], item.id] |= _tags(tags)
        return world

    def node(self, number: int, lon: float, lat: float, **tags: str) -> int:
        self.elements["node", number] = {"type": "node", "id": number, "lat": lat, "lon": lon} | _tags(tags)
        return number

    def way(self, number: int, nodes: list[int], **tags: str) -> int:
        self.elements["way", number] = {"type": "way", "id": number, "nodes": nodes} | _tags(tags)
        return number

    def relation(self, number: int, members: list[tuple[str, int, str]], **tags: str) -> int:
        listed = [{"type": kind, "ref": ref, "role": role} for kind, ref, role in members]
        self.elements["relation", number] = {"type": "relation", "id": number, "members": listed} | _tags(tags)
        return number

    def shape(self, element: dict[str, Any]) -> Any:
        """What Overpass compares with a polygon: the points and lines that an element is made of."""
        if element["type"] == "node":
            return shapely.Point(element["lon"], element["lat"])
        if element["type"] == "way":
            places = [(node["lon"], node["lat"]) for node in self._nodes(element)]
            return shapely.LineString(places) if len(places) > 1 else shapely.GeometryCollection()
        members = (self.elements.get((one["type"], one["ref"])) for one in element["members"])
        return shapely.GeometryCollection([self.shape(one) for one in members if one])

    def _nodes(self, way: dict[str, Any]) -> list[dict[str, Any]]:
        found = (self.elements.get(("node", ref)) for ref in way["nodes"])
        return [node for node in found if node]

    def below(self, element: dict[str, Any]) -> list[dict[str, Any]]:
        """The element, its members, and their nodes."""
        if element["type"] == "node":
            return [element]
        if element["type"] == "way":
            return [element, *self._nodes(element)]
        members = (self.elements.get((one["type"], one["ref"])) for one in element["members"])
        return [element, *(part for one in members if one for part in self.below(one))]

    def answer(self, query: str) -> list[dict[str, Any]]:
        """Elements that a query of OSMnx selects, each once, in the order of Overpass."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for kind, conditions, ring in _SELECT.findall(query):
            numbers = list(map(float, ring.split()))
            area = shapely.Polygon(list(zip(numbers[1::2], numbers[::2], strict=True)))
            wanted = _TAG.findall(conditions)
            for element in self.elements.values():
                tags = element.get("tags", {})
                if element["type"] != kind or not all(
                    tags.get(k) in ({v} if v else {tags.get(k)}) and k in tags for k, v in wanted
                ):
                    continue
                if area.intersects(self.shape(element)):
                    found |= {(one["type"], one["id"]): one for one in self.below(element)}
        return sorted(found.values(), key=lambda one: (ORDER.index(one["type"]), one["id"]))

    def write(self, path: Path) -> None:
        """Write the whole world as an extract."""
        with osmium.SimpleWriter(str(path)) as out:
            for kind, number in sorted(self.elements, key=lambda key: (ORDER.index(key[0]), key[1])):
                element = self.elements[kind, number]
                tags = element.get("tags", {})
                if kind == "node":
                    out.add_node(Node(id=number, location=(element["lon"], element["lat"]), tags=tags))
                elif kind == "way":
                    out.add_way(Way(id=number, nodes=element["nodes"], tags=tags))
                else:
                    members = [(one["type"][0], one["ref"], one["role"]) for one in element["members"]]
                    out.add_relation(Relation(id=number, members=members, tags=tags))


def _tags(tags: dict[str, str]) -> dict[str, Any]:
    named = {key.replace("__", ":"): value for key, value in tags.items()}
    return {"tags": named} if named else {}


@dataclass
class Reply:
    """What the server sends instead of an answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sleep_s: float = 0.0
    cut: bool = False
    """Whether the connection ends before the announced length."""


@dataclass
class Script:
    """What the server does.

    Attributes
    ----------
    places
        Name or id → results of Nominatim.
    misbehave
        Called with path and query of each request; a `Reply` is sent instead of the answer, None lets it pass.
    status_page
        What ``/status`` says; None is no such page.
    log
        Path and query of every request.
    agents
        User-Agent of every request.
    """

    world: World
    places: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    misbehave: Callable[[str, str], Reply | None] = lambda _path, _query: None
    status_page: Callable[[], str] | None = None
    log: list[tuple[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def overpass(self) -> str:
        return f"{self.url}/api"

    @property
    def nominatim(self) -> str:
        return f"{self.url}/nominatim"

    def queries(self) -> list[str]:
        """The queries of Overpass asked so far."""
        return [query for path, query in self.log if path == "/api/interpreter"]

    def respond(self, path: str, query: str) -> Reply:
        reply = self.misbehave(path, query)
        if reply is not None:
            return reply
        if path == "/api/status":
            return Reply(body=self.status_page().encode()) if self.status_page else Reply(status=404)
        if path == "/api/interpreter":
            about = {"timestamp_osm_base": STAMP, "copyright": "ODbL"}
            return as_json({"version": 0.6, "osm3s": about, "elements": self.world.answer(query)})
        if path in {"/nominatim/search", "/nominatim/lookup"}:
            asked = parse_qs(query)
            return as_json(self.places.get((asked.get("q") or asked.get("osm_ids") or [""])[0], []))
        return Reply(status=404, body=b"<html>no such page</html>")


def as_json(content: object) -> Reply:
    return Reply(body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def slots_page(line: str, *, limit: int = 2) -> str:
    now = dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = f"Connected as: 1\nCurrent time: {now}\nAnnounced endpoint: none\nRate limit: {limit}\n"
    return head + line + "\nCurrently running queries (pid, space limit, time limit, start time):\n"


def place(number: int, name: str, shape: Any, **more: Any) -> dict[str, Any]:
    """A result of Nominatim."""
    west, south, east, north = shape.bounds
    result = {
        "place_id": number, "osm_type": "relation", "osm_id": number, "lat": str((south + north) / 2),
        "lon": str((west + east) / 2), "class": "boundary", "type": "administrative", "place_rank": 12,
        "importance": 0.5, "addresstype": "county", "name": name, "display_name": name,
        "boundingbox": [str(south), str(north), str(west), str(east)], "geojson": shapely.geometry.mapping(shape),
    }  # fmt: skip
    return json.loads(json.dumps(result | more))


@contextmanager
def serving(script: Script) -> Iterator[Script]:
    """Run the server on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(parts.path, parts.query)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = parse_qs(self.rfile.read(length).decode())
            self._send(self.path, form.get("data", [""])[0])

        def _send(self, path: str, query: str) -> None:
            script.log.append((path, query))
            script.agents.append(self.headers.get("User-Agent", ""))
            reply = script.respond(path, query)
            time.sleep(reply.sleep_s)
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            except (BrokenPipeError, ConnectionResetError):  # whoever asked has given up
                return

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
