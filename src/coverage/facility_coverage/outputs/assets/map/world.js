// What the map shows, read from the page: ground that all states share, and the scenes, one for each state.
fc.load = function () {
  const d = fc.data, under = d.basemap, water = under.water || {};
  const zones = d.zones.map((z, i) => Object.assign({}, z, {index: i, area: fc.shapes(z.area), at: fc.project(...z.at),
    radius: z.radius_m / 40075017 / Math.cos(z.at[1] / 1e5 * Math.PI / 180)}));
  zones.forEach((z) => { z.box = fc.boxOf(z.area); });
  const world = {
    zones, boundary: fc.shapes(d.boundary),
    byRadius: zones.slice().sort((a, b) => b.radius - a.radius),
    districts: (d.districts || []).map((one) => ({name: one.name, area: fc.shapes(one.area), at: fc.project(...one.at)})),
    neighbours: (under.neighbours || []).map((n) => ({name: n.name, area: fc.shapes(n.area), at: fc.project(...n.at)})),
    water: {areas: fc.shapes(water.areas), lines: fc.shapes(water.lines)},
    roads: Object.fromEntries(Object.entries(under.roads).map(([name, lines]) => [name, fc.shapes(lines)])),
    relief: null,
  };
  if (under.relief) {
    const b = under.relief.box, image = new Image();
    image.addEventListener("load", () => fc.repaint());
    image.src = under.relief.url;
    world.relief = {image, nw: fc.project(b[0], b[3]), se: fc.project(b[2], b[1])};
  }
  // A state has the layers of the first, but for what differs.
  const first = Object.fromEntries(d.scenes[0].layers.map((layer) => [layer.id, layer]));
  d.scenes.forEach((one) => { one.layers = one.layers.map((layer) => Object.assign({}, first[layer.id], layer)); });
  world.scenes = d.scenes.map(fc.loadScene);
  world.sites = fc.loadSites();
  return world;
};

fc.loadScene = function (source, index) {
  const palette = fc.data.palette;
  const scene = Object.assign({}, source, {index, byTheme: Object.fromEntries(source.themes.map((theme) => [theme.id, theme]))});
  scene.layers = source.layers.map((given, i) => {
    const layer = Object.assign({}, given, {index: i, scene, colour: palette.facilities[i % palette.facilities.length],
      shape: palette.shapes[i % palette.shapes.length], service: fc.shapes(given.service)});
    layer.gaps = given.gaps.map(([lon, lat, people]) => [...fc.project(lon, lat), people]);
    const f = given.facilities;
    layer.facilities = f.lon.map((lon, k) => {
      const [x, y] = fc.project(lon, f.lat[k]);
      return {x, y, layer, index: k, id: f.id[k], name: f.name[k] || fc.data.texts.unnamed, address: f.address[k] || "", tier: f.tier[k],
        capacity: f.capacity.map((column) => column[k]), attributes: f.attributes.map((column) => column[k]), people: f.people[k], leader: f.leader[k], leaderMin: f.leader_min[k], orphan: f.orphan[k] === 1, led: []};
    });
    layer.facilities.forEach((one) => { if (one.leader !== null) layer.facilities[one.leader].led.push(one.index); });
    return layer;
  });
  return scene;
};

fc.scene = (index) => fc.world.scenes[index ?? fc.state.scene];
fc.theme = (scene) => (scene || fc.scene()).byTheme[fc.state.theme] || null;
// The facility layer that the theme speaks of; none where it speaks of people, or of several layers.
fc.layer = (scene) => fc.state.layer === null ? null : (scene || fc.scene()).layers[fc.state.layer];
fc.zoneColour = function (zone, scene) {
  const theme = fc.theme(scene), number = theme ? theme.numbers[zone.index] : null;
  return number === null || number === undefined ? null : theme.colours[number];
};
fc.goalOf = (theme, scene) => (scene || fc.scene()).goals.find((goal) => goal.theme === theme.id) || null;
fc.zoneAt = (x, y) => fc.world.zones.find((z) => x >= z.box[0] && x <= z.box[2] && y >= z.box[1] && y <= z.box[3] && fc.inside(z.area, x, y)) || null;

// What the reader wants to see of facilities: kinds, tiers, capacities.
fc.layerShown = (layer) => fc.state.shown[layer.id] ?? layer.index === fc.state.layer;
fc.facilityShown = function (f) {
  const filter = fc.state.filter, hidden = filter.tiers[f.layer.id];
  if (hidden && f.tier !== null && hidden.has(f.tier)) return false;
  if (filter.capacity !== null && filter.layer === f.layer.index) return f.capacity[filter.capacity] !== null && f.capacity[filter.capacity] >= filter.least;
  return true;
};
// Verdicts that the reader has struck out; zones that have them fade.
fc.zoneShown = function (zone, scene) {
  const theme = fc.theme(scene);
  return !theme || !fc.state.filter.status.size || !fc.state.filter.status.has(theme.status[zone.index] || "none");
};
