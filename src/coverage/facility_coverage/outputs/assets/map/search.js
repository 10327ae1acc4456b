// Search by characters, pinyin or initials: every reading of a character counts, whole or by its first letter.
fc.plain = (text) => text.toLowerCase().replace(/[\s·'’\-_,.()（）]+/g, "");
fc.spelled = function (name, query) {
  const chars = [...fc.plain(name)], readings = fc.data.pinyin;
  // Positions in the query that the name up to here may have used up.
  const step = (at, from) => {
    if (at === query.length) return true;
    if (from === chars.length) return false;
    const c = chars[from];
    const ways = readings[c] || [c];
    for (const reading of ways) for (const way of [reading, reading.replace("v", "u"), reading[0]]) {
      if (query.startsWith(way, at) && step(at + way.length, from + 1)) return true;
      // The last syllable may be half typed.
      if (at + way.length > query.length && way.startsWith(query.slice(at))) return true;
    }
    return false;
  };
  for (let from = 0; from < chars.length; from++) if (step(0, from)) return from;
  return -1;
};
fc.rankOf = function (name, query) {
  const at = fc.plain(name).indexOf(query);
  if (at >= 0) return at === 0 ? 0 : 1;
  if (!/^[a-zü]+$/.test(query)) return 9;
  const spelled = fc.spelled(name, query.replace(/ü/g, "v"));
  return spelled === 0 ? 2 : spelled > 0 ? 3 : 9;
};

fc.search = function (text, most) {
  const query = fc.plain(text).slice(0, 60), t = fc.data.texts, scene = fc.scene(0), found = [];
  if (!query) return [];
  const take = (name, kind, order, go) => { const rank = fc.rankOf(name, query); if (rank < 9) found.push({name, kind, rank, order, go}); };
  fc.world.zones.forEach((zone) => take(zone.name, t.zone_kind, 0, () => fc.goTo(zone)));
  scene.goals.forEach((goal) => take(goal.name, t.goal_kind, 1, () => fc.openGoal(goal)));
  fc.world.sites.forEach((site) => take(site.title, t.site, 1, () => fc.goToSite(site)));
  scene.layers.forEach((layer) => layer.facilities.forEach((f) => take(f.name, layer.name, 2, () => fc.goToFacility(f))));
  return found.sort((a, b) => a.rank - b.rank || a.order - b.order || a.name.length - b.name.length).slice(0, most || 12);
};

fc.searchBox = function () {
  const t = fc.data.texts, box = fc.node("div", "fc-search"), input = fc.node("input"), list = fc.node("ul");
  input.type = "search";
  input.id = "fc-search";
  input.placeholder = t.search;
  input.autocomplete = "off";
  input.spellcheck = false;
  for (const [name, value] of [["role", "combobox"], ["aria-label", t.search], ["aria-expanded", "false"], ["aria-controls", "fc-found"], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
  list.id = "fc-found";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  let found = [], at = -1;
  const close = () => { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = (next) => {
    at = next;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) { input.setAttribute("aria-activedescendant", "fc-found-" + at); list.children[at].scrollIntoView({block: "nearest"}); }
  };
  const take = (i) => { const one = found[i]; if (!one) return; input.value = one.name.slice(0, 60); close(); one.go(); };
  const look = () => {
    found = fc.search(input.value);
    list.replaceChildren(...found.map((one, i) => {
      const item = fc.node("li", "fc-hit");
      item.id = "fc-found-" + i;
      item.setAttribute("role", "option");
      item.append(fc.node("span", "fc-name", one.name), fc.node("span", "fc-small", one.kind));
      item.addEventListener("mousedown", (e) => { e.preventDefault(); take(i); });
      return item;
    }));
    if (!found.length && input.value.trim()) list.append(fc.node("li", "fc-small", t.nothing_found));
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    at = -1;
  };
  input.addEventListener("input", look);
  input.addEventListener("focus", () => { if (input.value) look(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      if (!found.length) return;
      e.preventDefault();
      mark((at + (e.key === "ArrowDown" ? 1 : found.length - 1 + (at < 0))) % found.length);
    } else if (e.key === "Enter") { e.preventDefault(); take(Math.max(at, 0)); }
    else if (e.key === "Escape") { close(); input.value = ""; e.stopPropagation(); }
  });
  box.append(input, list);
  return box;
};
