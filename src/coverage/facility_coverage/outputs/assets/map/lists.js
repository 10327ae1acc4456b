// Towns and facilities as lists, with filters.
fc.showZones = function () {
  const t = fc.data.texts, body = fc.leaf.zones, theme = fc.theme(fc.scene(0)), goal = theme.kind === "goal" ? fc.goalOf(theme, fc.scene(0)) : null;
  const hidden = fc.state.filter.status, statuses = [...new Set(theme.status.map((s) => s || "none"))];
  body.replaceChildren(fc.node("h2", "", theme.name + fc.brackets(theme.unit)));
  if (goal && statuses.length > 1) {
    const chips = fc.node("div", "fc-chips");
    [...fc.STATUSES, "none"].filter((s) => statuses.includes(s)).forEach((status) => {
      const count = theme.status.filter((s) => (s || "none") === status).length, name = status === "none" ? t.not_judged : t[status];
      const chip = fc.button("fc-chip fc-edge-" + status, "", name + " " + count, () => { hidden.has(status) ? hidden.delete(status) : hidden.add(status); fc.showZones(); fc.repaint(); });
      chip.setAttribute("aria-pressed", String(!hidden.has(status)));
      chips.append(chip);
    });
    body.append(chips);
  }
  const value = (zone) => theme.values[zone.index], down = theme.at_most || theme.kind === "people" ? -1 : 1;
  fc.world.zones.filter((zone) => fc.zoneShown(zone, fc.scene(0)))
    .sort((a, b) => (value(a) === null) - (value(b) === null) || down * (value(a) - value(b)))
    .forEach((zone) => body.append(fc.townRow(zone, theme, goal)));
};

fc.LISTED = 100;
fc.showFacilities = function () {
  const t = fc.data.texts, body = fc.leaf.facilities, scene = fc.scene(0), s = fc.state;
  body.replaceChildren(fc.node("h2", "", t.filter));
  scene.layers.forEach((layer) => {
    body.append(fc.toggle(layer.name + fc.brackets(fc.count(layer.facilities.length)), fc.layerShown(layer), fc.layerSwatch(layer), (on) => {
      s.shown[layer.id] = on;
      fc.showFacilities(); fc.showLegend(); fc.repaint();
    }));
    if (!fc.layerShown(layer)) return;
    const hidden = s.filter.tiers[layer.id] ||= new Set();
    layer.tiers.forEach((tier, i) => {
      const row = fc.toggle(tier.name, !hidden.has(i), fc.layerSwatch(layer, i), (on) => { on ? hidden.delete(i) : hidden.add(i); fc.listFacilities(); fc.repaint(); });
      row.classList.add("fc-tier");
      body.append(row);
    });
  });
  body.append(fc.capacityFilter(scene), fc.node("div", "fc-list"));
  fc.listFacilities();
};

fc.capacityFilter = function (scene) {
  const t = fc.data.texts, s = fc.state.filter, row = fc.node("div", "fc-choose"), select = fc.node("select"), least = fc.node("input");
  select.setAttribute("aria-label", t.capacity);
  select.id = "fc-capacity";
  select.append(fc.option("", t.any_capacity));
  scene.layers.filter(fc.layerShown).forEach((layer) => layer.capacity.forEach((name, i) => select.append(fc.option(layer.index + ":" + i, layer.name + " · " + name))));
  select.value = s.capacity === null ? "" : s.layer + ":" + s.capacity;
  if (select.selectedIndex < 0) { select.value = ""; s.capacity = null; }
  least.type = "number";
  least.id = "fc-least";
  least.min = "0";
  least.value = String(s.least);
  least.setAttribute("aria-label", t.at_least);
  const change = () => {
    [s.layer, s.capacity] = select.value === "" ? [null, null] : select.value.split(":").map(Number);
    s.least = Math.max(0, Number(least.value) || 0);
    fc.listFacilities();
    fc.repaint();
  };
  select.addEventListener("change", change);
  least.addEventListener("input", change);
  row.append(select, fc.node("span", "", "≥"), least);
  return row;
};

fc.listFacilities = function () {
  const t = fc.data.texts, s = fc.state.filter, box = fc.leaf.facilities.querySelector(".fc-list");
  const found = fc.scene(0).layers.filter(fc.layerShown).flatMap((layer) => layer.facilities.filter(fc.facilityShown));
  const size = (f) => s.capacity !== null && s.layer === f.layer.index ? f.capacity[s.capacity] : f.people;
  found.sort((a, b) => (size(b) ?? -1) - (size(a) ?? -1));
  const many = found.length > fc.LISTED ? " · " + fc.said(t.first_shown, {count: fc.LISTED}) : "";
  box.replaceChildren(fc.node("div", "fc-small", fc.said(t.found, {count: fc.count(found.length)}) + many));
  found.slice(0, fc.LISTED).forEach((f) => {
    const row = fc.button("fc-zone", "", "", () => fc.goToFacility(f));
    row.append(fc.layerSwatch(f.layer, f.tier), fc.node("span", "fc-name", f.name), fc.node("span", "fc-num", size(f) === null ? "–" : fc.count(size(f))));
    box.append(row);
  });
};
fc.goToFacility = function (f) {
  fc.select({facility: f});
  if (fc.narrow() && fc.leaf) fc.openLeaf(null);
  fc.map.setView(fc.degrees(f.x, f.y), Math.max(13, fc.map.getZoom()), {animate: false});
};
