// Where to build next: the proposed sites in the order of building, with what each of them gains.
fc.loadSites = () => (fc.data.sitings || []).flatMap((siting) => siting.sites.map((site) => {
  const [x, y] = fc.project(...site.at);
  return Object.assign({}, site, {x, y, siting, title: site.name || siting.name + " " + site.order});
}));
fc.drawSite = function (ctx, order, x, y, r) {
  fc.symbol(ctx, "square", x, y, r + 1.6);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
  fc.symbol(ctx, "square", x, y, r);
  ctx.fillStyle = fc.data.palette.site;
  ctx.fill();
  ctx.lineWidth = 1;
  ctx.strokeStyle = "#1f2933";
  ctx.stroke();
  ctx.font = "700 " + Math.round(r * 1.35) + "px " + fc.FONT;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = "#1f2933";
  ctx.fillText(String(order), x, y + 0.5);
};
// What a site gains, and in which unit.
fc.gainOf = (siting) => {
  const t = fc.data.texts;
  return siting.unit && siting.unit !== "people" ? [t["site_gain_" + siting.unit], t[siting.unit]] : [t.site_gain, t.people];
};
fc.siteSwatch = (order) => fc.swatch((c) => fc.drawSite(c, order, 13, 9, 7));

fc.showSites = function () {
  const t = fc.data.texts, body = fc.leaf.sites;
  if (!body) return;
  body.replaceChildren();
  fc.data.sitings.forEach((siting) => {
    body.append(fc.node("h2", "", siting.name));
    siting.said.forEach((line) => body.append(fc.node("div", "fc-small", line)));
    body.append(fc.node("h3", "", t.site + " · " + fc.gainOf(siting)[0]));
    const most = Math.max(1, ...siting.sites.map((site) => site.gain));
    fc.world.sites.filter((site) => site.siting === siting).forEach((site) => {
      const row = fc.button("fc-zone", "", "", () => fc.goToSite(site)), bar = fc.node("span", "fc-gain"), fill = fc.node("span");
      fill.style.width = 100 * site.gain / most + "%";
      bar.append(fill);
      row.append(fc.siteSwatch(site.order), fc.node("span", "fc-name", site.name || site.zone), bar, fc.node("span", "fc-num", "+" + fc.count(site.gain)));
      body.append(row);
    });
  });
};
fc.goToSite = function (site) {
  fc.select({site});
  if (fc.narrow() && fc.leaf) fc.openLeaf(null);
  fc.map.setView(fc.degrees(site.x, site.y), Math.max(13, fc.map.getZoom()), {animate: false});
};
fc.showSite = function (site) {
  const t = fc.data.texts, layers = fc.scene(0).layers.filter((layer) => site.siting.layers.includes(layer.id));
  const [gain, unit] = fc.gainOf(site.siting);
  const card = fc.card(site.title, [t.site, site.zone].filter(Boolean).join(" · "));
  card.append(fc.table(null, [[t.facility_kind, layers.map((layer) => layer.name).join(" · ")], [t.site_order, site.order],
    [gain, fc.count(site.gain) + " " + unit], [t.site_alone, fc.count(site.alone) + " " + unit], [t.site_share, fc.percent(site.share)]]));
  site.siting.said.forEach((line) => card.append(fc.node("div", "fc-small", line)));
};
