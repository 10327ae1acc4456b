// Panels beside the map. Every word is set as text, never as markup.
fc.section = function (id, title, open) {
  const box = fc.node("details", "fc-section");
  box.id = "fc-" + id;
  box.open = open;
  box.append(fc.node("summary", "", title));
  const body = fc.node("div", "fc-body");
  box.append(body);
  return {box, body};
};

fc.sidebar = function (narrow) {
  const d = fc.data, t = d.texts, side = fc.node("aside", "fc-side");
  side.setAttribute("aria-label", t.panel);
  const head = fc.node("header", "fc-head");
  head.append(fc.node("h1", "", d.title));
  if (d.notice) head.append(fc.node("p", "fc-notice", d.notice));
  const label = fc.node("label", "fc-choose");
  label.append(fc.node("span", "", t.choose));
  const select = fc.node("select");
  select.id = "fc-layer";
  d.layers.forEach((layer, i) => { const o = fc.node("option", "", layer.name); o.value = String(i); select.append(o); });
  select.addEventListener("change", () => fc.choose(Number(select.value)));
  label.append(select);
  head.append(label);
  fc.headline = fc.node("div", "fc-headline");
  fc.headline.setAttribute("aria-live", "polite");
  head.append(fc.headline);
  side.append(head);
  const legend = fc.section("legend", t.legend, !narrow), goals = fc.section("goals", t.goals, !narrow);
  const zones = fc.section("zones", t.zones, false);
  fc.legendBody = legend.body;
  fc.zonesBody = zones.body;
  fc.showGoals(goals.body);
  side.append(legend.box, goals.box, zones.box);
  document.body.append(side);
};

fc.bar = function (share) {
  const bar = fc.node("span", "fc-bar"), fill = fc.node("span");
  fill.style.width = (share || 0) * 100 + "%";
  bar.append(fill);
  return bar;
};

fc.showHeadline = function () {
  const d = fc.data, t = d.texts, layer = fc.layer(), box = fc.headline;
  const all = (scope) => ((d.summary[scope] || {})[layer.id] || {})[layer.group] || [null, null, null];
  const [people, covered, share] = all("study");
  box.replaceChildren();
  const line = fc.node("div", "fc-big");
  line.append(fc.node("strong", "", fc.percent(share)), fc.node("span", "", d.groups[layer.group] + " " + t.covered));
  box.append(line, fc.bar(share), fc.node("div", "fc-small", fc.count(covered) + " / " + fc.count(people) + " " + t.people
    + " · " + t.left_out + " " + fc.count(people === null ? null : people - covered)));
  if (layer.unattached) box.append(fc.node("div", "fc-small", layer.unattached));
  const scopes = ["urban", "rural"].filter((k) => all(k)[0] !== null);
  if (scopes.length > 1) box.append(fc.node("div", "fc-small", scopes.map((k) => t[k + "_long"] + " " + fc.percent(all(k)[2])).join(" · ")));
  box.append(fc.node("div", "fc-cutoff", layer.cutoff));
};

fc.swatch = function (draw, width) {
  const canvas = fc.node("canvas", "fc-swatch"), w = width || 26, h = 18;
  canvas.width = w * 2;
  canvas.height = h * 2;
  canvas.style.width = w + "px";
  canvas.style.height = h + "px";
  canvas.setAttribute("aria-hidden", "true");
  const ctx = canvas.getContext("2d");
  ctx.scale(2, 2);
  draw(ctx, w, h);
  return canvas;
};

fc.toggle = function (name, checked, swatch, change) {
  const row = fc.node("label", "fc-row"), box = fc.node("input");
  box.type = "checkbox";
  box.checked = checked;
  box.addEventListener("change", () => { change(box.checked); fc.painter.repaint(); });
  row.append(box);
  if (swatch) row.append(swatch);
  row.append(fc.node("span", "", name));
  return row;
};

fc.showLegend = function () {
  const d = fc.data, t = d.texts, p = d.palette, s = fc.state, body = fc.legendBody, layer = fc.layer();
  body.replaceChildren();
  body.append(fc.node("h2", "", t.shares + " · " + d.groups[layer.group] + " (%)"));
  const ramp = fc.node("div", "fc-ramp");
  p.classes.forEach((colour, i) => {
    const cell = fc.node("div"), chip = fc.node("i");
    chip.style.background = colour;
    cell.append(chip, fc.node("span", "", Math.round((i ? p.breaks[i - 1] : 0) * 100) + "–" + Math.round(p.breaks[i] * 100)));
    ramp.append(cell);
  });
  const none = fc.node("div");
  none.append(fc.swatch((c, w, h) => { c.fillStyle = fc.hatch(c); c.fillRect(0, 0, w, h); }, 40), fc.node("span", "", t.no_data));
  ramp.append(none);
  body.append(ramp);
  const flip = (key) => (on) => { s.show[key] = on; };
  body.append(fc.toggle(t.service, s.show.service, fc.swatch((c) => {
    c.fillStyle = "rgba(15,81,50,.16)"; c.strokeStyle = p.service; c.beginPath(); c.ellipse(13, 9, 11, 7, 0, 0, 7); c.fill(); c.stroke();
  }), flip("service")));
  body.append(fc.toggle(t.gaps, s.show.gaps, fc.swatch((c) => {
    c.fillStyle = p.gap; [[4, 2], [11, 3.4], [20, 5]].forEach(([x, r]) => { c.beginPath(); c.arc(x, 9, r, 0, 7); c.fill(); });
  }), flip("gaps")));
  const zoom = fc.map.getZoom(), scale = fc.gapScale(zoom);
  const key = fc.node("div", "fc-sizes");
  fc.gapSteps().forEach((n) => {
    const r = fc.gapRadius(n, scale);
    key.append(fc.swatch((c) => { c.fillStyle = p.gap; c.beginPath(); c.arc(14, 9, Math.min(9, r), 0, 7); c.fill(); }, 28), fc.node("span", "", fc.count(n) + " " + t.people));
  });
  body.append(key);
  fc.world.layers.forEach((one) => {
    body.append(fc.toggle(one.name, fc.facilitiesShown(one), fc.swatch((c) => fc.drawFacility(c, one, one.tiers.length ? 0 : null, 13, 9, 10.8)), (on) => { one.shown = on; fc.showLegend(); }));
    if (!fc.facilitiesShown(one)) return;
    one.tiers.forEach((tier, i) => {
      const row = fc.node("div", "fc-row fc-tier");
      row.append(fc.swatch((c) => fc.drawFacility(c, one, i, 13, 9, 10.8)), fc.node("span", "", tier.name));
      body.append(row);
    });
  });
  const line = (colour, width) => fc.swatch((c) => { c.strokeStyle = colour; c.lineWidth = width; c.beginPath(); c.moveTo(1, 9); c.lineTo(25, 9); c.stroke(); });
  body.append(fc.toggle(t.roads, s.show.roads, line("#d9933a", 3), flip("roads")));
  if (fc.world.water.areas.length + fc.world.water.lines.length) body.append(fc.toggle(t.water, s.show.water, line("#86b6d8", 6), flip("water")));
  if (fc.world.relief) body.append(fc.toggle(t.relief, s.show.relief, null, flip("relief")));
  body.append(fc.toggle(t.labels, s.show.labels, null, flip("labels")));
  const edge = fc.node("div", "fc-row fc-tier");
  edge.append(line("#2b2f36", 2.6), fc.node("span", "", t.boundary));
  body.append(edge);
};

fc.ICONS = {met: "✓", on_track: "↗", behind: "!", no_data: "–", no_target: "·"};
fc.badge = function (status) {
  const badge = fc.node("span", "fc-badge fc-" + status);
  const icon = fc.node("b", "", fc.ICONS[status]);
  icon.setAttribute("aria-hidden", "true");
  badge.append(icon, document.createTextNode(fc.data.texts[status]));
  return badge;
};

fc.showGoals = function (body) {
  const d = fc.data, t = d.texts;
  if (!d.goals.length) body.append(fc.node("p", "fc-small", t.no_goals));
  const zh = d.lang === "zh", gap = zh ? " " : ": ";
  const silent = fc.node("details", "fc-silent"), count = d.goals.filter((goal) => goal.status === "no_data").length;
  silent.append(fc.node("summary", "", t.goals_without_data + " (" + count + ")"));
  d.goals.forEach((goal) => {
    const status = goal.status || "no_target";
    const card = fc.node("article", "fc-goal fc-edge-" + status), top = fc.node("div", "fc-goal-top");
    top.append(fc.node("h3", "", goal.name), fc.badge(status));
    card.append(top);
    const line = fc.node("div", "fc-goal-line");
    line.append(fc.node("span", "", t.value + gap), fc.node("strong", "", goal.value));
    if (goal.target !== null) line.append(fc.node("span", "", " · " + t.target + gap), fc.node("strong", "", goal.target), fc.node("span", "", " (" + goal.year + (zh ? " 年)" : ")")));
    if (goal.nature) line.append(fc.node("em", goal.binding ? "fc-tag fc-binding" : "fc-tag", goal.nature));
    card.append(line);
    if (goal.shortfall) card.append(fc.node("div", "fc-short", t.shortfall + gap + goal.shortfall));
    if (goal.missing) card.append(fc.node("div", "fc-small", goal.missing));
    if (goal.note) card.append(fc.node("div", "fc-small", goal.note));
    card.append(fc.node("div", "fc-cite", t.source + gap + goal.citation));
    (status === "no_data" ? silent : body).append(card);
  });
  if (count) body.append(silent);
};

fc.showZones = function () {
  const layer = fc.layer(), body = fc.zonesBody;
  body.replaceChildren();
  const share = (zone) => (fc.zoneFigures(zone) || [])[2];
  fc.world.zones.slice().sort((a, b) => (share(a) ?? 2) - (share(b) ?? 2)).forEach((zone) => {
    const row = fc.button("fc-zone", "", "", () => { fc.select(zone, null); fc.map.fitBounds(fc.bounds(zone.area), {padding: [40, 40]}); });
    const chip = fc.node("i");
    chip.style.background = fc.colour(share(zone)) || fc.data.palette.no_data;
    row.append(chip, fc.node("span", "fc-name", zone.name), fc.node("span", "fc-num", fc.percent(share(zone))));
    body.append(row);
  });
  body.dataset.layer = layer.id;
};

fc.card = function (title, sub) {
  const old = document.querySelector(".fc-card");
  if (old) old.remove();
  if (title === null) return null;
  const card = fc.node("section", "fc-card");
  card.setAttribute("aria-live", "polite");
  const close = fc.button("fc-close", fc.data.texts.close, "×", () => fc.select(null, null));
  card.append(close, fc.node("h2", "", title), fc.node("div", "fc-small", sub));
  document.body.append(card);
  return card;
};

fc.table = function (head, rows) {
  const table = fc.node("table");
  const line = (cells, tag) => { const tr = fc.node("tr"); cells.forEach((c, i) => tr.append(fc.node(i ? tag : "th", i ? "fc-num" : "", c))); table.append(tr); };
  if (head) line(head, "th");
  rows.forEach((cells) => line(cells, "td"));
  return table;
};

fc.showZone = function (zone) {
  const d = fc.data, t = d.texts, card = fc.card(zone.name, t[zone.area_type + "_long"]);
  fc.world.layers.forEach((layer) => {
    const groups = zone.figures[layer.id] || {};
    card.append(fc.node("h3", "", layer.name));
    card.append(fc.table([t.group, t.total, t.covered, t.covered_share],
      Object.keys(d.groups).filter((g) => groups[g]).map((g) => [d.groups[g], fc.count(groups[g][0]), fc.count(groups[g][1]), fc.percent(groups[g][2])])));
  });
  const goals = d.goals.filter((goal) => goal.zones[zone.id]);
  if (goals.length) card.append(fc.node("h3", "", t.goals));
  goals.forEach((goal) => {
    const z = goal.zones[zone.id], row = fc.node("div", "fc-zgoal");
    row.append(fc.node("span", "", goal.name + " "), fc.node("strong", "", z.value), fc.node("span", "fc-short", z.shortfall ? " " + t.shortfall + " " + z.shortfall : ""));
    if (z.status) row.append(fc.badge(z.status));
    card.append(row);
  });
};

fc.showFacility = function (f) {
  const t = fc.data.texts, layer = f.layer, rows = [[t.facility_kind, layer.name]];
  if (f.tier !== null) rows.push([t.tier, layer.tiers[f.tier].name]);
  layer.capacity.forEach((name, i) => rows.push([name, fc.count(f.capacity[i])]));
  rows.push([t.catchment, f.people === null ? t.no_data : fc.count(f.people) + " " + t.people + " (" + fc.data.groups[layer.group] + ")"]);
  fc.card(f.name, "").append(fc.table(null, rows));
};
