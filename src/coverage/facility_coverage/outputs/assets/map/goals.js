// Goals: their verdicts, and the towns that miss them.
fc.ICONS = {met: "✓", on_track: "↗", behind: "!", no_data: "–", no_target: "·"};
fc.STATUSES = ["behind", "on_track", "met", "no_data"];
fc.colon = () => fc.data.lang === "zh" ? "：" : ": ";
fc.brackets = (text) => !text ? "" : fc.data.lang === "zh" ? "（" + text + "）" : " (" + text + ")";

fc.badge = function (status) {
  const badge = fc.node("span", "fc-badge fc-" + status), icon = fc.node("b", "", fc.ICONS[status]);
  icon.setAttribute("aria-hidden", "true");
  badge.append(icon, document.createTextNode(fc.data.texts[status]));
  return badge;
};
fc.goalLine = function (goal, valueShown) {
  const t = fc.data.texts, zh = fc.data.lang === "zh", line = fc.node("div", "fc-goal-line");
  if (!valueShown) line.append(fc.node("span", "", t.value + fc.colon()), fc.node("strong", "", goal.value + (goal.target === null ? "" : " · ")));
  if (goal.target !== null) line.append(fc.node("span", "", t.target + fc.colon()), fc.node("strong", "", goal.target), fc.node("span", "", fc.brackets(goal.year + (zh ? " 年" : ""))));
  if (goal.nature) line.append(fc.node("em", goal.binding ? "fc-tag fc-binding" : "fc-tag", goal.nature));
  return line;
};

fc.showGoals = function () {
  const t = fc.data.texts, body = fc.leaf.goals, goals = fc.scene(0).goals, hidden = fc.state.goalsHidden;
  fc.state.goal = null;
  body.replaceChildren();
  if (!goals.length) { body.append(fc.node("p", "fc-small", t.no_goals)); return; }
  const chips = fc.node("div", "fc-chips");
  fc.STATUSES.forEach((status) => {
    const count = goals.filter((goal) => goal.status === status).length;
    if (!count) return;
    const chip = fc.button("fc-chip fc-edge-" + status, "", fc.ICONS[status] + " " + t[status] + " " + count, () => { hidden.has(status) ? hidden.delete(status) : hidden.add(status); fc.showGoals(); });
    chip.setAttribute("aria-pressed", String(!hidden.has(status)));
    chips.append(chip);
  });
  body.append(chips);
  const rank = (goal) => [...fc.STATUSES.slice(0, 3), null, "no_data"].indexOf(goal.status);
  goals.map((goal, i) => [goal, i]).filter(([goal]) => !hidden.has(goal.status)).sort((a, b) => rank(a[0]) - rank(b[0]) || a[1] - b[1]).forEach(([goal]) => {
    const card = fc.button("fc-goal fc-edge-" + (goal.status || "no_target"), "", "", () => fc.openGoal(goal));
    const top = fc.node("span", "fc-goal-top");
    top.append(fc.node("b", "", goal.name), fc.badge(goal.status || "no_target"));
    card.append(top, fc.goalLine(goal));
    if (goal.shortfall) card.append(fc.node("span", "fc-short", t.shortfall + fc.colon() + goal.shortfall));
    body.append(card);
  });
};

fc.openGoal = function (goal) {
  if (goal.theme) fc.choose(goal.theme);
  fc.state.goal = goal.id;
  fc.openLeaf("goals");
  const t = fc.data.texts, body = fc.leaf.goals, scene = fc.scene(0);
  body.replaceChildren(fc.button("fc-back", "", "← " + t.all_goals, () => { fc.showGoals(); }));
  const head = fc.node("div", "fc-goal-head");
  head.append(fc.node("h2", "", goal.name), fc.badge(goal.status || "no_target"));
  body.append(head, fc.goalLine(goal));
  if (goal.shortfall) body.append(fc.node("div", "fc-short", t.shortfall + fc.colon() + goal.shortfall));
  if (goal.baseline) body.append(fc.node("div", "fc-small", t.baseline + fc.colon() + goal.baseline + fc.brackets(goal.baseline_year)));
  if (goal.missing) body.append(fc.node("div", "fc-small", goal.missing));
  if (goal.note) body.append(fc.node("div", "fc-small", goal.note));
  body.append(fc.node("div", "fc-cite", t.source + fc.colon() + goal.citation));
  const theme = scene.byTheme[goal.theme];
  if (!theme) { body.append(fc.node("p", "fc-small", t.study_only)); return; }
  const rows = fc.world.zones.map((zone, i) => ({zone, i, status: theme.status[i], value: theme.values[i], short: theme.shortfalls[i], reason: theme.reasons[i]}));
  const of = (...names) => rows.filter((row) => names.includes(row.status));
  const worst = (a, b) => (b.short || 0) - (a.short || 0) || a.value - b.value;
  const missed = of("behind", "on_track").sort(worst), met = of("met").sort((a, b) => a.value - b.value), none = of("no_data", null);
  const list = (title, found, open) => {
    if (!found.length) return;
    const box = fc.node("details", "fc-towns");
    box.open = open;
    box.append(fc.node("summary", "", title + fc.brackets(found.length)));
    found.forEach((row) => box.append(fc.townRow(row.zone, theme, goal)));
    body.append(box);
  };
  if (goal.districts.length) {
    const box = fc.node("details", "fc-towns");
    box.open = true;
    box.append(fc.node("summary", "", t.districts + fc.brackets(goal.districts.length)));
    goal.districts.forEach((one) => {
      const row = fc.node("div", "fc-zone");
      row.append(fc.node("span", "fc-name", one.name), fc.node("span", "fc-short", one.shortfall ? t.short_by + " " + one.shortfall : ""), fc.node("span", "fc-num", one.value));
      if (one.status) row.append(fc.badge(one.status));
      box.append(row);
    });
    body.append(box);
  }
  list(t.towns_missing, missed, true);
  list(t.towns_met, met, !missed.length);
  list(theme.target ? t.towns_none : t.towns_figures, none, !missed.length && !met.length);
};

// One zone under a theme: its class, its figure, what is missing.
fc.townRow = function (zone, theme, goal) {
  const t = fc.data.texts, i = zone.index, row = fc.button("fc-zone", "", "", () => fc.goTo(zone)), chip = fc.node("i");
  chip.style.background = theme.numbers[i] === null ? fc.data.palette.no_data : theme.colours[theme.numbers[i]];
  row.append(chip, fc.node("span", "fc-name", zone.name));
  const short = theme.shortfalls[i];
  if (goal && short) row.append(fc.node("span", "fc-short", t.short_by + " " + fc.number(short) + " " + goal.unit));
  const reason = theme.values[i] === null && theme.reasons[i] ? t["reason_" + theme.reasons[i]] : null;
  row.append(fc.node("span", "fc-num", reason || fc.bare(theme.scale, theme.values[i])));
  return row;
};
fc.goTo = function (zone) {
  fc.select({zone});
  if (fc.narrow() && fc.leaf) fc.openLeaf(null);
  const room = fc.narrow() ? [20, 60] : [40, 40];
  fc.map.fitBounds(fc.bounds(zone.area), {padding: room, maxZoom: 14});
};
