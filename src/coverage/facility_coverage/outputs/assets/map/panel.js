// The panel beside the map: title, search, what is shown, and four leaves. Every word is set as text, never as markup.
fc.LEAVES = ["legend", "goals", "zones", "facilities"];  // and "sites", where the study asks where to build

fc.sidebar = function () {
  const d = fc.data, t = d.texts, side = fc.node("aside", "fc-side");
  side.setAttribute("aria-label", t.panel);
  const head = fc.node("header", "fc-head");
  head.append(fc.node("h1", "", d.title));
  if (d.notice) head.append(fc.node("p", "fc-notice", d.notice));
  head.append(fc.searchBox(), fc.themeChooser());
  fc.headline = fc.node("div", "fc-headline");
  fc.headline.setAttribute("aria-live", "polite");
  head.append(fc.headline);
  if (fc.world.scenes.length > 1) head.append(fc.compareRow());
  side.append(head, fc.leaves());
  document.body.append(side);
};

fc.themeChooser = function () {
  const t = fc.data.texts, label = fc.node("label", "fc-choose"), select = fc.node("select");
  label.append(fc.node("span", "", t.choose_theme), select);
  select.id = "fc-theme";
  const scene = fc.scene(0), own = (theme) => scene.layers.some((l) => l.id === theme.layer && l.group === theme.group);
  const kinds = [[t.themes_coverage, (x) => x.kind === "coverage" && own(x)], [t.themes_goals, (x) => x.kind === "goal"],
    [t.themes_groups, (x) => x.kind === "coverage" && !own(x)], [t.themes_people, (x) => x.kind === "people"]];
  kinds.forEach(([name, test]) => {
    const found = scene.themes.filter(test);
    if (!found.length) return;
    const group = fc.node("optgroup");
    group.label = name;
    found.forEach((theme) => group.append(fc.option(theme.id, theme.name)));
    select.append(group);
  });
  select.addEventListener("change", () => fc.choose(select.value));
  fc.chooser = select;
  return label;
};

fc.leaves = function () {
  const t = fc.data.texts, box = fc.node("div", "fc-leaves"), bar = fc.node("div", "fc-tabs");
  bar.setAttribute("role", "tablist");
  if ((fc.data.sitings || []).length) fc.LEAVES.push("sites");
  fc.leaf = {};
  fc.tab = {};
  fc.LEAVES.forEach((name) => {
    const tab = fc.button("fc-tab", "", t["leaf_" + name], () => fc.openLeaf(fc.narrow() && fc.state.leaf === name ? null : name));
    tab.id = "fc-tab-" + name;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "fc-leaf-" + name);
    const leaf = fc.node("section", "fc-leaf");
    leaf.id = "fc-leaf-" + name;
    leaf.setAttribute("role", "tabpanel");
    leaf.setAttribute("aria-labelledby", tab.id);
    leaf.tabIndex = -1;
    bar.append(tab);
    fc.tab[name] = tab;
    fc.leaf[name] = leaf;
  });
  bar.addEventListener("keydown", (e) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[e.key], at = fc.LEAVES.indexOf(fc.state.leaf);
    if (!step || at < 0) return;
    const next = fc.LEAVES[(at + step + fc.LEAVES.length) % fc.LEAVES.length];
    fc.openLeaf(next);
    fc.tab[next].focus();
  });
  box.append(bar, ...Object.values(fc.leaf));
  return box;
};
fc.openLeaf = function (name) {
  fc.state.leaf = name;
  fc.LEAVES.forEach((one) => {
    const open = one === name;
    fc.leaf[one].hidden = !open;
    fc.tab[one].setAttribute("aria-selected", String(open));
    fc.tab[one].tabIndex = open || (name === null && one === "legend") ? 0 : -1;
  });
};

fc.bar = function (share) {
  const bar = fc.node("span", "fc-bar"), fill = fc.node("span");
  fill.style.width = Math.min(1, share || 0) * 100 + "%";
  bar.append(fill);
  return bar;
};
fc.figuresOf = (scene, scope, theme) => ((scene.summary[scope] || {})[theme.layer] || {})[theme.group] || [null, null, null];

fc.showHeadline = function () {
  const t = fc.data.texts, scene = fc.scene(0), theme = fc.theme(scene), box = fc.headline;
  if (!box) return;
  box.replaceChildren();
  const big = (text, tail) => { const line = fc.node("div", "fc-big"); line.append(fc.node("strong", "", text), fc.node("span", "", tail)); box.append(line); };
  if (theme.kind === "goal") {
    const goal = fc.goalOf(theme, scene), line = fc.node("div", "fc-big");
    line.append(fc.node("strong", "", goal.value), fc.badge(goal.status || "no_target"));
    box.append(line, fc.goalLine(goal, true));
    if (goal.shortfall) box.append(fc.node("div", "fc-short", t.shortfall + fc.colon() + goal.shortfall));
  } else if (theme.kind === "coverage") {
    const all = (scope) => fc.figuresOf(scene, scope, theme), [people, covered, share] = all("study"), layer = fc.layer(scene);
    big(fc.percent(share), scene.groups[theme.group] + " " + t.covered);
    box.append(fc.bar(share), fc.node("div", "fc-small", t.left_out + " " + fc.count(fc.leftOut(people, covered)) + " / " + fc.count(people) + " " + t.people));
    if (layer.unattached && layer.group === theme.group) box.append(fc.node("div", "fc-small", layer.unattached));
    const scopes = ["urban", "rural"].filter((k) => all(k)[0] !== null);
    if (scopes.length > 1) box.append(fc.node("div", "fc-small", scopes.map((k) => t[k + "_long"] + " " + fc.percent(all(k)[2])).join(" · ")));
    box.append(fc.node("div", "fc-cutoff", layer.cutoff));
  } else {
    const any = Object.values(scene.summary.study || {})[0] || {}, people = (any[theme.group] || [null])[0], total = (any.total || [null])[0];
    big(fc.count(people), t.people + (theme.scale === "share" && total ? " · " + fc.percent(people / total) : ""));
  }
  fc.compareHeadline(box, theme);
};

fc.toggle = function (name, checked, swatch, change) {
  const row = fc.node("label", swatch ? "fc-row" : "fc-row fc-plain"), box = fc.node("input");
  box.type = "checkbox";
  box.checked = checked;
  box.addEventListener("change", () => change(box.checked));
  row.append(box);
  if (swatch) row.append(swatch);
  row.append(fc.node("span", "", name));
  return row;
};
fc.dotsShown = () => fc.state.show.gaps ?? (fc.theme(fc.scene(0)) || {}).kind === "coverage";

fc.ramp = function (theme) {
  const t = fc.data.texts, ramp = fc.node("div", "fc-ramp");
  theme.colours.forEach((colour, i) => {
    const cell = fc.node("div"), chip = fc.node("i");
    chip.style.background = colour;
    cell.append(chip, fc.node("span", "", theme.labels[i]));
    ramp.append(cell);
  });
  if (theme.numbers.some((number) => number === null)) {
    const none = fc.node("div", "fc-none");
    none.append(fc.swatch((c, w, h) => { c.fillStyle = fc.hatch(c); c.fillRect(0, 0, w, h); }, 40), fc.node("span", "", t.no_data));
    ramp.append(none);
  }
  return ramp;
};
fc.rampBlock = function (theme) {
  const t = fc.data.texts, block = fc.node("div", "fc-rampbox");
  block.append(fc.node("h2", "", theme.name + fc.brackets(theme.unit)), fc.ramp(theme));
  if (theme.target) block.append(fc.node("div", "fc-target", t.target + fc.colon() + theme.target + " · " + t.ramp_target));
  return block;
};
fc.keyed = function (rows) {
  const key = fc.node("div", "fc-key");
  rows.forEach(([colour, text]) => { const chip = fc.node("i"); chip.style.background = colour; const cell = fc.node("span", "", ""); cell.append(chip, document.createTextNode(text)); key.append(cell); });
  return key;
};

fc.showLegend = function () {
  const d = fc.data, t = d.texts, p = d.palette, s = fc.state, body = fc.leaf.legend, scene = fc.scene(0), layer = fc.layer(scene), theme = fc.theme(scene);
  body.replaceChildren(fc.rampBlock(theme));
  const flip = (key) => (on) => { s.show[key] = on; fc.showLegend(); fc.repaint(); };
  if (layer) {
    body.append(fc.node("h3", "", layer.name));
    body.append(fc.toggle(t.service, s.show.service, fc.swatch((c) => {
      c.fillStyle = "rgba(15,81,50,.16)"; c.strokeStyle = p.service; c.beginPath(); c.ellipse(13, 9, 11, 7, 0, 0, 7); c.fill(); c.stroke();
    }), flip("service")));
    if (d.drawn.service_m > 25 && s.show.service) body.append(fc.node("div", "fc-small fc-tier", fc.said(t.drawn_to, {metres: fc.number(d.drawn.service_m)})));
    body.append(fc.toggle(t.gaps, fc.dotsShown(), fc.swatch((c) => {
      c.fillStyle = p.gap; [[4, 2], [11, 3.4], [20, 5]].forEach(([x, r]) => { c.beginPath(); c.arc(x, 9, r, 0, 7); c.fill(); });
    }), flip("gaps")));
    if (fc.dotsShown()) {
      const scale = fc.gapScale(fc.map.getZoom()), key = fc.node("div", "fc-sizes");
      fc.gapSteps().forEach((n) => {
        const r = fc.gapRadius(n, scale);
        key.append(fc.swatch((c) => { c.fillStyle = p.gap; c.beginPath(); c.arc(14, 9, Math.min(9, r), 0, 7); c.fill(); }, 28), fc.node("span", "", fc.count(n) + " " + t.people));
      });
      body.append(key, fc.gapList(layer));
    }
    if (scene.grid) {
      body.append(fc.toggle(t.people_grid, s.show.people, fc.lineSwatch(p.left_out[1], 9), flip("people")));
      const steps = [...p.density.map((end, i) => (i ? p.density[i - 1] : 0) + "–" + end), "> " + p.density[p.density.length - 1]];
      if (s.show.people) {
        body.append(fc.node("div", "fc-small fc-tier", fc.said(t.people_square, {metres: fc.number(scene.grid.side_m)})));
        body.append(fc.keyed(steps.map((text, i) => [p.covered[i], text])), fc.node("div", "fc-small fc-tier", "↑ " + t.covered + " · ↓ " + t.left_out),
          fc.keyed(steps.map((text, i) => [p.left_out[i], text])));
      }
      body.append(fc.toggle(t.bands, s.show.bands, fc.lineSwatch(p.bands[1], 9), flip("bands")));
      if (s.show.bands) body.append(fc.keyed([...p.bands_min.map((end, i) => [p.bands[i], (i ? p.bands_min[i - 1] : 0) + "–" + end]),
        [p.bands[p.bands.length - 1], "> " + p.bands_min[p.bands_min.length - 1]], [p.no_data, t.unreached]]));
    }
  }
  const shown = scene.layers.filter(fc.layerShown);
  if (shown.length) body.append(fc.node("h3", "", t.facilities));
  shown.forEach((one) => {
    const tiers = one.tiers.length ? one.tiers.map((tier, i) => [i, tier.name]) : [[null, one.name]];
    if (one.tiers.length && shown.length > 1) body.append(fc.node("div", "fc-small", one.name));
    tiers.forEach(([i, name]) => { const row = fc.node("div", "fc-row"); row.append(fc.layerSwatch(one, i), fc.node("span", "", name)); body.append(row); });
  });
  if (fc.world.sites.length) body.append(fc.toggle(t.site, s.show.sites, fc.siteSwatch(1), flip("sites")));
  body.append(fc.node("h3", "", t.ground));
  if (d.tiles.length) body.append(fc.tileChooser());
  body.append(fc.toggle(t.roads, s.show.roads, fc.lineSwatch("#d9933a", 3), flip("roads")));
  if (fc.world.water.areas.length + fc.world.water.lines.length) body.append(fc.toggle(t.water, s.show.water, fc.lineSwatch("#86b6d8", 6), flip("water")));
  if (fc.world.relief) body.append(fc.toggle(t.relief, s.show.relief, fc.lineSwatch("#b9b4aa", 8), flip("relief")));
  body.append(fc.toggle(t.labels, s.show.labels, null, flip("labels")));
  const edge = fc.node("div", "fc-row");
  edge.append(fc.lineSwatch("#2b2f36", 2.6), fc.node("span", "", t.boundary));
  body.append(edge);
  if (d.drawn.zones_m > 15) body.append(fc.node("div", "fc-small", fc.said(t.drawn_to, {metres: fc.number(d.drawn.zones_m)})));
};

// Pictures of a web map service, where the study names one: asked for only when the reader chooses it.
fc.tileChooser = function () {
  const t = fc.data.texts, label = fc.node("label", "fc-choose"), select = fc.node("select");
  select.append(fc.option("", t.tiles_none), ...fc.data.tiles.map((one, i) => fc.option(String(i), one.name)));
  select.value = fc.state.tiles === null ? "" : String(fc.state.tileIndex);
  select.addEventListener("change", () => fc.showTiles(select.value === "" ? null : Number(select.value)));
  select.id = "fc-tiles";
  label.append(fc.node("span", "", t.tiles), select);
  return label;
};
fc.showTiles = function (index) {
  fc.views.forEach((view) => {
    if (view.tiles) view.tiles.remove();
    const one = index === null ? null : fc.data.tiles[index];
    view.tiles = one && L.tileLayer(one.url, {subdomains: one.subdomains, maxNativeZoom: one.max_zoom, maxZoom: 18}).addTo(view.map);
  });
  fc.state.tiles = fc.views[0].tiles || null;
  fc.state.tileIndex = index;
  fc.footerText();
  fc.repaint();
};
