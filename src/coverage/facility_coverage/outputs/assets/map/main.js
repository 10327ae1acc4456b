// State, choices and clicks.
fc.repaint = () => (fc.views || []).forEach((view) => view.painter && view.painter.repaint());
fc.narrow = () => window.matchMedia("(max-width: 760px)").matches;

fc.choose = function (id) {
  const theme = fc.scene(0).byTheme[id];
  if (!theme) return;
  const index = fc.scene(0).layers.findIndex((layer) => layer.id === theme.layer);
  fc.state.theme = id;
  fc.state.layer = index < 0 ? null : index;
  fc.state.filter.status.clear();
  if (fc.chooser) fc.chooser.value = id;
  fc.showAll();
};
fc.showAll = function () {
  fc.showHeadline();
  if (fc.leaf) { fc.showLegend(); fc.showZones(); fc.showFacilities(); if (fc.state.goal) fc.showGoals(); } else fc.showSmallLegend();
  fc.repaint();
};

fc.select = function ({zone, facility, ground, site}) {
  Object.assign(fc.state, {zone: zone || null, facility: facility || null, ground: ground || null, site: site || null});
  if (site) fc.showSite(site);
  else if (facility) fc.showFacility(facility);
  else if (ground) fc.showGround(ground);
  else if (zone) fc.showZone(zone);
  else fc.card(null);
  fc.repaint();
};

fc.hit = function (view, point) {
  const map = fc.views[view].map, painter = fc.views[view].painter;
  const k = 256 * Math.pow(2, map.getZoom()), origin = map.getPixelOrigin();
  const p = map.containerPointToLayerPoint(point).add(origin), x = p.x / k, y = p.y / k, scene = fc.scene(fc.sceneUnder(view, point));
  const cluster = painter._clusters.find((c) => c.scene === scene && Math.hypot(c.x - x, c.y - y) * k <= c.r + 3);
  if (cluster) return {cluster};
  const site = fc.state.show.sites && fc.world.sites.find((one) => Math.hypot(one.x - x, one.y - y) * k <= 11);
  if (site) return {site};
  let best = null, reach = 13 / k;
  for (const layer of scene.layers) {
    if (!fc.layerShown(layer)) continue;
    for (const f of layer.facilities) {
      const far = Math.hypot(f.x - x, f.y - y);
      if (far <= reach && fc.facilityShown(f)) { best = f; reach = far; }
    }
  }
  if (best) return {facility: best};
  return {ground: {x, y, zone: fc.zoneAt(x, y), scene: scene.index}};
};
fc.listen = function (view) {
  const map = fc.views[view].map;
  map.on("click", (e) => {
    const found = fc.hit(view, e.containerPoint);
    if (found.cluster) {
      const xs = found.cluster.members.map((f) => f.x), ys = found.cluster.members.map((f) => f.y);
      map.fitBounds([fc.degrees(Math.min(...xs), Math.max(...ys)), fc.degrees(Math.max(...xs), Math.min(...ys))], {padding: [60, 60], maxZoom: Math.max(16, map.getZoom() + 1)});
      return;
    }
    fc.select(found);
  });
  map.on("mousemove", (e) => {
    const found = fc.hit(view, e.containerPoint);
    map.getContainer().style.cursor = found.facility || found.site || found.cluster || found.ground.zone ? "pointer" : "";
  });
};

fc.footerText = function () {
  const d = fc.data, t = d.texts, scene = fc.scene(0), tiles = fc.state.tiles ? d.tiles[fc.state.tileIndex].attribution : "";
  const approval = d.approval_number ? t.approval + fc.colon() + d.approval_number : "";
  fc.foot.textContent = [approval, d.attribution, scene.population_source, t.data_of + " " + scene.date, t.made + " " + d.made, t.run + " " + d.run, tiles, "Leaflet"].filter(Boolean).join(" · ");
};

// A small page, or one within another: the map alone, with what its colours mean.
fc.smallLegend = function () {
  fc.small = fc.node("details", "fc-small-legend");
  fc.small.open = !fc.narrow();
  document.body.append(fc.small);
};
fc.showSmallLegend = function () {
  const scene = fc.scene(0), theme = fc.theme(scene), layer = fc.layer(scene), t = fc.data.texts;
  fc.small.replaceChildren(fc.node("summary", "", fc.data.title), fc.rampBlock(theme));
  if (fc.headline) fc.small.append(fc.headline);
  if (!layer) return;
  const tiers = layer.tiers.length ? layer.tiers.map((tier, i) => [i, tier.name]) : [[null, layer.name]];
  tiers.forEach(([i, name]) => { const row = fc.node("div", "fc-row"); row.append(fc.layerSwatch(layer, i), fc.node("span", "", name)); fc.small.append(row); });
  if (fc.dotsShown()) {
    const row = fc.node("div", "fc-row");
    row.append(fc.swatch((c) => { c.fillStyle = fc.data.palette.gap; c.beginPath(); c.arc(13, 9, 4, 0, 7); c.fill(); }), fc.node("span", "", t.gaps));
    fc.small.append(row);
  }
};

fc.controls = function (map, narrow) {
  const t = fc.data.texts;
  L.control.zoom({position: "topright", zoomInTitle: t.zoom_in, zoomOutTitle: t.zoom_out}).addTo(map);
  L.control.scale({imperial: false, position: narrow ? "bottomright" : "bottomleft", maxWidth: 110}).addTo(map);
  const north = L.control({position: "topright"});
  north.onAdd = () => {
    const box = fc.node("div", "fc-north");
    box.setAttribute("aria-label", t.north);
    box.append(fc.swatch((c) => {
      c.fillStyle = "#1f2933"; c.beginPath(); c.moveTo(13, 0); c.lineTo(19, 17); c.lineTo(13, 13.5); c.lineTo(7, 17); c.closePath(); c.fill();
    }), fc.node("b", "", t.north_letter));
    return box;
  };
  north.addTo(map);
};

// Wishes of whoever links to the page or puts it into another: map.html#theme=goal:beds&panel=none
fc.wishes = function () {
  const wishes = Object.assign({}, fc.data.show, fc.wished);
  new URLSearchParams(location.hash.slice(1)).forEach((value, key) => { wishes[key] = value; });
  return wishes;
};
fc.obey = function (wishes) {
  const scene = fc.scene(0), first = scene.themes[0].id;
  fc.choose(wishes.theme in scene.byTheme ? wishes.theme : first);
  const zone = fc.world.zones.find((one) => one.id === wishes.zone), facility = scene.layers.flatMap((l) => l.facilities).find((f) => f.id === wishes.facility);
  const goal = scene.goals.find((one) => one.id === wishes.goal);
  if (goal && fc.leaf) fc.openGoal(goal);
  else if (goal && goal.theme) fc.choose(goal.theme);
  if (zone) fc.goTo(zone);
  if (facility) fc.goToFacility(facility);
  const other = fc.world.scenes.findIndex((one) => one.id && one.id === wishes.compare);
  if (other > 0) fc.compare(other, wishes.way === "beside" ? "beside" : "swipe");
};

fc.begin = async function (map) {
  fc.data = JSON.parse(new TextDecoder().decode(await fc.bytes("core")));
  fc.map = map;
  fc.state = {scene: 0, theme: null, layer: null, goal: null, zone: null, facility: null, ground: null, site: null, leaf: null, tiles: null, tileIndex: null, compare: null, shown: {},
    goalsHidden: new Set(), filter: {tiers: {}, layer: null, capacity: null, least: 0, status: new Set()},
    show: {service: true, gaps: null, people: false, bands: false, roads: true, water: true, relief: true, labels: true, sites: true}};
  fc.views = [{map, box: map.getContainer(), painter: null, tiles: null}];
  fc.world = fc.load();
  document.title = fc.data.title;
  const narrow = fc.narrow(), t = fc.data.texts, wishes = fc.wishes(), alone = wishes.panel !== "none";
  document.documentElement.classList.toggle("fc-alone", !alone);
  if (alone) fc.sidebar();
  else { fc.headline = null; fc.smallLegend(); }
  fc.foot = fc.node("footer", "fc-foot");
  fc.footerText();
  document.body.append(fc.foot);
  map.getContainer().setAttribute("aria-label", t.map);
  fc.controls(map, narrow);
  if (alone) {
    fc.openLeaf(narrow ? null : "legend");
    fc.showGoals();
    fc.showSites();
  }
  map.invalidateSize({animate: false});
  const whole = fc.bounds(fc.world.boundary), room = {padding: narrow ? [8, 8] : [22, 22]};
  map.fitBounds(whole, Object.assign({animate: false}, room));
  map.setMinZoom(Math.max(0, map.getZoom() - 2));
  fc.obey(wishes);
  fc.stayUnderHead(map, whole, room);
  fc.views[0].painter = new fc.Painter({panes: () => fc.panesOf(0)}).addTo(map);
  document.querySelector(".leaflet-control-zoom").append(fc.button("fc-whole", t.whole, "⤢", () => map.fitBounds(whole, room)));
  map.on("zoomend", () => { if (fc.leaf && fc.state.leaf === "legend") fc.showLegend(); });
  fc.listen(0);
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") fc.select({}); });
  window.addEventListener("beforeprint", fc.beforePrint);
  window.addEventListener("afterprint", fc.afterPrint);
  document.documentElement.dataset.ready = "yes";
  // Within a report the wheel and one finger move the report, not the map.
  if (fc.given) { map.scrollWheelZoom.disable(); if (L.Browser.mobile) map.dragging.disable(); window.parent.postMessage("fc-drawn", "*"); }
};
// On a narrow screen the map begins where the head ends.
fc.stayUnderHead = function (map, whole, room) {
  if (!fc.narrow() || !fc.leaf) return;
  const head = document.querySelector(".fc-head"), tabs = document.querySelector(".fc-tabs");
  const put = () => {
    fc.views.forEach((view) => { view.box.style.setProperty("top", head.offsetHeight + tabs.offsetHeight + "px", "important"); view.map.invalidateSize({animate: false, pan: false}); });
  };
  put();
  map.fitBounds(whole, Object.assign({animate: false}, room));
  new ResizeObserver(put).observe(head);
};

fc.start = function (map) {
  if (typeof DecompressionStream === "undefined") {
    const old = fc.node("p", "fc-old", document.documentElement.lang === "en" ? "This browser is too old for the map: use Chrome, Edge or a Chromium-based browser from 80, Firefox from 113, Safari from 16.4."
      : "浏览器版本过旧，无法显示地图：请使用 Chrome、Edge 或 Chromium 内核浏览器 80 以上、Firefox 113 以上、Safari 16.4 以上版本。");
    document.body.append(old);
    return;
  }
  if (fc.block("core")) { fc.begin(map); return; }
  // Within a report the page around gives the content, once.
  window.addEventListener("message", (e) => {
    if (e.source !== window.parent || fc.given || !e.data || !e.data.fcPayload) return;
    fc.given = e.data.fcPayload;
    fc.wished = e.data.fcShow || {};
    fc.begin(map);
  });
  window.parent.postMessage("fc-ready", "*");
};
