// The card: what a click has found - a facility, a place on the ground, a town.
fc.card = function (title, sub) {
  const old = document.querySelector(".fc-card");
  if (old) old.remove();
  if (title === null) return null;
  const card = fc.node("section", "fc-card");
  card.setAttribute("aria-live", "polite");
  card.setAttribute("aria-label", title);
  card.append(fc.button("fc-close", fc.data.texts.close, "×", () => fc.select({})), fc.node("h2", "", title));
  if (sub) card.append(fc.node("div", "fc-small", sub));
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
fc.link = (text, action) => fc.button("fc-link", "", text, action);

fc.showFacility = function (f) {
  const t = fc.data.texts, layer = f.layer, scene = layer.scene, rows = [[t.facility_kind, layer.name]];
  if (f.tier !== null) rows.push([t.tier, layer.tiers[f.tier].name]);
  layer.capacity.forEach((name, i) => rows.push([name, fc.count(f.capacity[i])]));
  layer.attributes.forEach((name, i) => rows.push([name, f.attributes[i] === null ? t.no_data : f.attributes[i] ? t.yes : t.no]));
  rows.push([t.catchment, f.people === null ? t.no_data : fc.count(f.people) + " " + t.people + fc.brackets(scene.groups[layer.group])]);
  if (f.address) rows.push([t.address, f.address]);
  const card = fc.card(f.name, fc.world.scenes.length > 1 ? scene.name : "");
  card.append(fc.table(null, rows), fc.node("div", "fc-small", t.catchment_drawn + fc.colon() + layer.cutoff));
  if (f.leader !== null) {
    const leader = layer.facilities[f.leader], line = fc.node("p", "fc-led");
    line.append(fc.node("span", "", t.led_by + " "), fc.link(leader.name, () => fc.goToFacility(leader)), fc.node("span", "", fc.brackets(fc.minutes(f.leaderMin))));
    card.append(line);
  } else if (f.orphan) card.append(fc.node("p", "fc-short", t.led_by_none));
  if (f.led.length) {
    const box = fc.node("details", "fc-towns");
    box.append(fc.node("summary", "", t.leads + fc.brackets(f.led.length)));
    f.led.slice(0, 200).forEach((i) => { const one = layer.facilities[i]; const row = fc.button("fc-zone", "", "", () => fc.goToFacility(one)); row.append(fc.node("span", "fc-name", one.name), fc.node("span", "fc-num", fc.minutes(one.leaderMin))); box.append(row); });
    card.append(box);
  }
};

// A place on the ground: the nearest facility of each kind, and why none is near enough.
fc.showGround = async function (ground) {
  const t = fc.data.texts, scene = fc.scene(ground.scene), zone = ground.zone;
  if (!scene.grid || !zone) { if (zone) fc.showZone(zone); else fc.card(t.outside, ""); return; }
  const card = fc.card(t.here + (zone ? " · " + zone.name : ""), fc.world.scenes.length > 1 ? scene.name : ""), all = await Promise.all(scene.layers.map((layer) => fc.timesReady(scene, layer)));
  if (!card.isConnected || all.some((times) => !times)) return;
  const answers = scene.layers.map((layer, i) => fc.answer(scene, layer, all[i], ground.x, ground.y, zone));
  const active = fc.layer(scene), first = answers.slice().sort((a, b) => (b.layer === active) - (a.layer === active));
  ground.nearest = answers.map((a) => a.facility).filter(Boolean);
  first.forEach((a) => {
    const row = fc.node("div", "fc-answer"), top = fc.node("div", "fc-answer-top");
    const minutes = a.minutes !== null ? fc.minutes(a.minutes) : a.code === fc.BEYOND ? "> 240 " + t.minutes : "–";
    top.append(fc.layerSwatch(a.layer, null), fc.node("span", "fc-name", a.layer.name), fc.node("strong", "fc-num", minutes), fc.node("span", a.covered ? "fc-yes" : "fc-no", a.covered ? "✓ " + t.covered : "✕ " + t.not_covered));
    row.append(top);
    if (a.facility) { const line = fc.node("div", "fc-small"); line.append(fc.node("span", "", t.nearest + " "), fc.link(a.facility.name, () => fc.goToFacility(a.facility))); row.append(line); }
    if (a.why) row.append(fc.node("div", "fc-why", a.why));
    card.append(row);
  });
  card.append(fc.node("div", "fc-small", fc.said(t.grid_note, {metres: fc.number(scene.grid.side_m)})));
  const [lat, lon] = fc.degrees(ground.x, ground.y);
  card.append(fc.node("div", "fc-small", lon.toFixed(5) + ", " + lat.toFixed(5)));
  card.append(fc.link(t.about_zone + " " + zone.name, () => fc.select({zone})));
  fc.repaint();
};

fc.showZone = function (zone) {
  const t = fc.data.texts, scene = fc.scene(0), card = fc.card(zone.name, [zone.district, t[zone.area_type + "_long"]].filter(Boolean).join(" · "));
  const goals = scene.goals.map((goal) => [goal, scene.byTheme[goal.theme]]).filter(([, theme]) => theme && theme.status[zone.index] && theme.status[zone.index] !== "no_data");
  const order = (status) => fc.STATUSES.indexOf(status);
  if (goals.length) card.append(fc.node("h3", "", t.goals));
  goals.sort((a, b) => order(a[1].status[zone.index]) - order(b[1].status[zone.index])).forEach(([goal, theme]) => {
    const i = zone.index, row = fc.node("div", "fc-zgoal"), short = theme.shortfalls[i];
    row.append(fc.link(goal.name, () => fc.openGoal(goal)), fc.node("strong", "", " " + fc.figure(theme.scale, theme.values[i])),
      fc.node("span", "fc-short", short ? " " + t.short_by + " " + fc.number(short) + " " + goal.unit : ""), fc.badge(theme.status[i]));
    card.append(row);
  });
  const figures = scene.figures[zone.id] || {};
  card.append(fc.node("h3", "", t.coverage_here));
  scene.layers.forEach((layer) => {
    const row = (figures[layer.id] || {})[layer.group];
    if (!row) return;
    const line = fc.node("div", "fc-answer-top");
    line.append(fc.layerSwatch(layer), fc.node("span", "fc-name", layer.name + fc.brackets(scene.groups[layer.group])), fc.node("strong", "fc-num", fc.percent(row[2])), fc.node("span", "fc-num fc-small", t.left_out + " " + fc.count(fc.leftOut(row[0], row[1]))));
    card.append(line);
  });
};
