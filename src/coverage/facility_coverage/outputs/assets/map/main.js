// State, choices and clicks.
fc.layer = () => fc.world.layers[fc.state.layer];
fc.zoneFigures = (zone) => (zone.figures[fc.layer().id] || {})[fc.layer().group] || null;
fc.zoneColour = (zone) => fc.colour((fc.zoneFigures(zone) || [])[2]);
fc.facilitiesShown = (layer) => layer.shown ?? (layer === fc.layer());

fc.bounds = function (shapes) {
  const all = [Infinity, Infinity, -Infinity, -Infinity];
  shapes.forEach(({box: b}) => { all[0] = Math.min(all[0], b[0]); all[1] = Math.min(all[1], b[1]); all[2] = Math.max(all[2], b[2]); all[3] = Math.max(all[3], b[3]); });
  const back = (x, y) => [Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI, x * 360 - 180];
  return [back(all[0], all[3]), back(all[2], all[1])];
};

fc.load = function () {
  const d = fc.data, under = d.basemap, water = under.water || {};
  const zones = d.zones.map((z) => Object.assign({}, z, {area: fc.shapes(z.area), at: fc.project(...z.at),
    radius: z.radius_m / 40075017 / Math.cos(z.at[1] / 1e5 * Math.PI / 180)}));
  const world = {
    zones, boundary: fc.shapes(d.boundary),
    byRadius: zones.slice().sort((a, b) => b.radius - a.radius),
    neighbours: (under.neighbours || []).map((n) => ({name: n.name, area: fc.shapes(n.area), at: fc.project(...n.at)})),
    water: {areas: fc.shapes(water.areas), lines: fc.shapes(water.lines)},
    roads: Object.fromEntries(Object.entries(under.roads).map(([name, lines]) => [name, fc.shapes(lines)])),
    relief: null,
  };
  if (under.relief) {
    const b = under.relief.box, image = new Image();
    image.addEventListener("load", () => fc.painter && fc.painter.repaint());
    image.src = under.relief.url;
    world.relief = {image, nw: fc.project(b[0], b[3]), se: fc.project(b[2], b[1])};
  }
  world.layers = d.layers.map((source, i) => {
    const layer = Object.assign({}, source, {colour: d.palette.facilities[i % d.palette.facilities.length],
      shape: d.palette.shapes[i % d.palette.shapes.length], shown: undefined, service: fc.shapes(source.service)});
    layer.gaps = source.gaps.map(([lon, lat, people]) => [...fc.project(lon, lat), people]);
    layer.facilities = source.facilities.map(([lon, lat, name, tier, capacity, people]) => {
      const [x, y] = fc.project(lon, lat);
      return {x, y, name: name || d.texts.unnamed, tier, capacity, people, layer};
    });
    return layer;
  });
  return world;
};

fc.choose = function (index) {
  fc.state.layer = index;
  fc.showHeadline();
  fc.showLegend();
  fc.showZones();
  fc.painter.repaint();
};

fc.select = function (zone, facility) {
  fc.state.zone = zone;
  fc.state.facility = facility;
  if (facility) fc.showFacility(facility);
  else if (zone) fc.showZone(zone);
  else fc.card(null);
  fc.painter.repaint();
};

fc.hit = function (point) {
  const k = 256 * Math.pow(2, fc.map.getZoom()), origin = fc.map.getPixelOrigin();
  const p = fc.map.containerPointToLayerPoint(point).add(origin), x = p.x / k, y = p.y / k;
  let best = null, reach = 13 / k;
  for (const layer of fc.world.layers) {
    if (!fc.facilitiesShown(layer)) continue;
    for (const f of layer.facilities) {
      const far = Math.hypot(f.x - x, f.y - y);
      if (far <= reach) { best = f; reach = far; }
    }
  }
  if (best) return {facility: best, zone: null};
  return {facility: null, zone: fc.world.zones.find((z) => fc.inside(z.area, x, y)) || null};
};

fc.footer = function () {
  const d = fc.data, t = d.texts, foot = fc.node("footer", "fc-foot");
  foot.textContent = [d.attribution, d.population_source, t.data_of + " " + d.date, t.made + " " + d.made, t.run + " " + d.run, "Leaflet"].filter(Boolean).join(" · ");
  document.body.append(foot);
};

fc.start = function (map) {
  fc.data = JSON.parse(document.getElementById("coverage-data").textContent);
  fc.map = map;
  fc.state = {layer: 0, zone: null, facility: null, show: {service: true, gaps: true, roads: true, water: true, relief: true, labels: true}};
  fc.world = fc.load();
  document.title = fc.data.title;
  const narrow = window.matchMedia("(max-width: 760px)").matches, t = fc.data.texts;
  fc.sidebar(narrow);
  fc.footer();
  map.getContainer().setAttribute("aria-label", t.map);
  L.control.zoom({position: "topright", zoomInTitle: t.zoom_in, zoomOutTitle: t.zoom_out}).addTo(map);
  L.control.scale({imperial: false, position: narrow ? "bottomright" : "bottomleft", maxWidth: 110}).addTo(map);
  fc.showHeadline();
  if (narrow) {
    const top = document.querySelector(".fc-side").offsetHeight + "px";
    map.getContainer().style.setProperty("top", top, "important");
  }
  map.invalidateSize({animate: false});
  const whole = fc.bounds(fc.world.boundary);
  map.fitBounds(whole, {padding: [22, 22], animate: false});
  map.setMinZoom(map.getZoom() - 2);
  fc.painter = new fc.Painter().addTo(map);
  document.querySelector(".leaflet-control-zoom").append(fc.button("fc-whole", t.whole, "⤢", () => map.fitBounds(whole, {padding: [22, 22]})));
  fc.choose(0);
  map.on("zoomend", fc.showLegend);
  map.on("click", (e) => { const found = fc.hit(e.containerPoint); fc.select(found.zone, found.facility); });
  map.on("mousemove", (e) => {
    const found = fc.hit(e.containerPoint);
    map.getContainer().style.cursor = found.facility || found.zone ? "pointer" : "";
  });
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") fc.select(null, null); });
  document.documentElement.dataset.ready = "yes";
};
