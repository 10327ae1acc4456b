// Where most people are left out of the layer that is shown: why, and what would help.
fc.gapList = function (layer) {
  const t = fc.data.texts, rows = fc.state.scene ? [] : ((fc.data.gaps || {})[layer.id] || []), box = fc.node("div");
  if (!rows.length) return box;
  box.append(fc.node("h3", "", t.gap_list));
  rows.forEach(([at, name, people, cause, remedy, gain]) => {
    const row = fc.button("fc-zone fc-gap", "", "", () => {
      const [x, y] = fc.project(...at);
      if (fc.narrow() && fc.leaf) fc.openLeaf(null);
      fc.map.setView(fc.degrees(x, y), Math.max(14, fc.map.getZoom()), {animate: false});
    });
    const said = fc.node("span", "fc-name", name);
    said.append(fc.node("small", "", cause + (remedy ? " → " + remedy + " +" + fc.count(gain) : "")));
    row.append(said, fc.node("span", "fc-num", fc.count(people)));
    box.append(row);
  });
  return box;
};
