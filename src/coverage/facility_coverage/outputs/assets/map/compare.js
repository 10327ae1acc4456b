// Two states of the study, swiped or side by side, always in step.
fc.compareRow = function () {
  const t = fc.data.texts, row = fc.node("div", "fc-compare"), select = fc.node("select");
  select.id = "fc-other";
  select.setAttribute("aria-label", t.compare);
  select.append(fc.option("", t.compare_none), ...fc.world.scenes.slice(1).map((scene) => fc.option(String(scene.index), scene.name)));
  const ways = ["swipe", "beside"].map((way) => {
    const button = fc.button("fc-way", "", t["compare_" + way], () => { fc.compare(fc.state.compare ? fc.state.compare.other : 1, way); });
    button.dataset.way = way;
    return button;
  });
  select.addEventListener("change", () => select.value === "" ? fc.compare(null) : fc.compare(Number(select.value), fc.state.compare ? fc.state.compare.way : "swipe"));
  row.append(fc.node("span", "", t.compare), select, ...ways);
  return row;
};

fc.compare = function (other, way) {
  fc.state.compare = other === null ? null : {other, way, at: 0.5};
  const row = document.querySelector(".fc-compare");
  if (row) {
    row.querySelector("select").value = other === null ? "" : String(other);
    row.querySelectorAll(".fc-way").forEach((button) => button.setAttribute("aria-pressed", String(other !== null && button.dataset.way === way)));
  }
  document.documentElement.dataset.compare = other === null ? "" : way;
  fc.secondView(other !== null && way === "beside");
  fc.swiper(other !== null && way === "swipe");
  fc.sceneNames();
  if (fc.state.facility) fc.select({});
  fc.showHeadline();
  fc.views.forEach((view) => view.map.invalidateSize({animate: false}));
  fc.repaint();
};

// The earlier state stands on the left.
fc.order = function () {
  const c = fc.state.compare;
  if (!c) return [0];
  return fc.scene(c.other).date < fc.scene(0).date ? [c.other, 0] : [0, c.other];
};
fc.panesOf = function (view) {
  const c = fc.state.compare, [left, right] = fc.order();
  if (!c) return [{scene: 0, from: 0, to: 1}];
  if (c.way === "swipe") return [{scene: left, from: 0, to: c.at}, {scene: right, from: c.at, to: 1}];
  return [{scene: view ? right : left, from: 0, to: 1}];
};
fc.sceneUnder = function (view, point) {
  const share = point.x / fc.views[view].map.getSize().x;
  return fc.panesOf(view).find((pane) => share <= pane.to).scene;
};

fc.secondView = function (wanted) {
  const second = fc.views[1];
  if (!wanted) {
    if (second) { second.map.remove(); second.box.remove(); fc.views.length = 1; }
    return;
  }
  if (second) return;
  const box = fc.node("div", "folium-map fc-second");
  document.body.append(box);
  const map = L.map(box, {zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5, maxZoom: 18, center: fc.map.getCenter(), zoom: fc.map.getZoom()});
  fc.views[1] = {map, box, tiles: null};
  fc.views[1].painter = new fc.Painter({panes: () => fc.panesOf(1)}).addTo(map);
  fc.listen(1);
  let busy = false;
  const follow = (from, to) => () => { if (busy || fc.views.length < 2) return; busy = true; to.setView(from.getCenter(), from.getZoom(), {animate: false}); busy = false; };
  fc.map.on("move", fc.follow = follow(fc.map, map));
  map.on("move", follow(map, fc.map));
  map.on("unload", () => fc.map.off("move", fc.follow));
  if (fc.state.tiles) fc.showTiles(fc.state.tileIndex);
};

fc.swiper = function (wanted) {
  const old = document.querySelector(".fc-swiper");
  if (old) old.remove();
  if (!wanted) return;
  const handle = fc.node("div", "fc-swiper"), box = fc.map.getContainer();
  handle.tabIndex = 0;
  handle.setAttribute("role", "slider");
  handle.setAttribute("aria-label", fc.data.texts.compare_swipe);
  handle.setAttribute("aria-valuemin", "0");
  handle.setAttribute("aria-valuemax", "100");
  const put = (share) => {
    fc.state.compare.at = Math.min(0.98, Math.max(0.02, share));
    handle.style.left = fc.state.compare.at * 100 + "%";
    handle.setAttribute("aria-valuenow", String(Math.round(fc.state.compare.at * 100)));
    fc.repaint();
  };
  const drag = (e) => { const r = box.getBoundingClientRect(); put((e.clientX - r.left) / r.width); e.preventDefault(); };
  handle.addEventListener("pointerdown", (e) => { handle.setPointerCapture(e.pointerId); e.stopPropagation(); handle.addEventListener("pointermove", drag); });
  handle.addEventListener("pointerup", (e) => { handle.releasePointerCapture(e.pointerId); handle.removeEventListener("pointermove", drag); });
  handle.addEventListener("keydown", (e) => { const step = {ArrowLeft: -0.05, ArrowRight: 0.05}[e.key]; if (step) { put(fc.state.compare.at + step); e.preventDefault(); e.stopPropagation(); } });
  L.DomEvent.disableClickPropagation(handle);
  handle.append(fc.node("i", "", "⇔"));
  box.append(handle);
  put(fc.state.compare.at);
};

fc.sceneNames = function () {
  document.querySelectorAll(".fc-scene").forEach((one) => one.remove());
  const c = fc.state.compare;
  if (!c) return;
  const [left, right] = fc.order().map((i) => fc.scene(i).name), name = (text, box, side) => { const label = fc.node("div", "fc-scene fc-scene-" + side, text); box.append(label); };
  name(left, fc.map.getContainer(), "left");
  name(right, c.way === "swipe" ? fc.map.getContainer() : fc.views[1].box, c.way === "swipe" ? "right" : "left");
};

fc.compareHeadline = function (box, theme) {
  const c = fc.state.compare;
  if (!c) return;
  const figure = (scene) => {
    const here = scene.byTheme[theme.id];
    if (!here) return fc.data.texts.no_data;
    if (theme.kind === "goal") return (fc.goalOf(here, scene) || {}).value;
    if (theme.kind === "coverage") return fc.percent(fc.figuresOf(scene, "study", here)[2]);
    return fc.count(((Object.values(scene.summary.study || {})[0] || {})[theme.group] || [null])[0]);
  };
  const [left, right] = fc.order().map((i) => fc.scene(i));
  box.append(fc.node("div", "fc-change", left.name + " " + figure(left) + " → " + right.name + " " + figure(right)));
};
