// Symbols: one shape and one colour for each kind of facility, size and filling for its tier.
fc.symbol = function (ctx, shape, x, y, r) {
  const points = {triangle: 3, square: 4, diamond: 4, pentagon: 5}[shape];
  ctx.beginPath();
  if (shape === "cross") {
    const a = r * 0.42, b = r * 1.1;
    [[-a, -b], [a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]]
      .forEach(([dx, dy], i) => i ? ctx.lineTo(x + dx, y + dy) : ctx.moveTo(x + dx, y + dy));
  } else if (points) {
    const turn = shape === "square" ? Math.PI / 4 : 0, grow = r * 1.2;
    for (let i = 0; i < points; i++) {
      const angle = turn - Math.PI / 2 + i * 2 * Math.PI / points;
      ctx.lineTo(x + grow * Math.cos(angle), y + grow * Math.sin(angle));
    }
  } else if (shape === "star") {
    for (let i = 0; i < 10; i++) {
      const angle = -Math.PI / 2 + i * Math.PI / 5, far = i % 2 ? r * 0.55 : r * 1.3;
      ctx.lineTo(x + far * Math.cos(angle), y + far * Math.sin(angle));
    }
  } else ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.closePath();
};

// Tier 0 is the highest: larger and ringed; the lowest of several tiers is hollow.
fc.drawFacility = function (ctx, layer, tier, x, y, zoom) {
  const last = Math.max(layer.tiers.length - 1, 0), level = tier === null ? last : tier;
  const grow = Math.min(1.5, Math.max(0.62, 0.62 + (zoom - 10) * 0.2));
  const r = (7.4 - (last ? 4.2 * level / last : 2.2)) * grow;
  fc.symbol(ctx, layer.shape, x, y, r + 1.3);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
  fc.symbol(ctx, layer.shape, x, y, r);
  const hollow = last > 0 && level === last;
  ctx.fillStyle = hollow ? "#ffffff" : layer.colour;
  ctx.fill();
  ctx.lineWidth = hollow ? 1.3 : 0.8;
  ctx.strokeStyle = layer.colour;
  ctx.stroke();
  if (last > 0 && level === 0 && r > 4.5) {
    ctx.beginPath();
    ctx.arc(x, y, r * 0.3, 0, 2 * Math.PI);
    ctx.fillStyle = "#ffffff";
    ctx.fill();
  }
  return r;
};
fc.drawCluster = function (ctx, layer, count, x, y) {
  const r = 9 + 3.2 * Math.log10(count), shown = fc.count(count);
  fc.symbol(ctx, layer.shape, x, y, r + 1.5);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
  fc.symbol(ctx, layer.shape, x, y, r);
  ctx.fillStyle = layer.colour;
  ctx.fill();
  ctx.font = "700 " + (shown.length > 3 ? 9 : 10.5) + "px " + fc.FONT;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 2.4;
  ctx.strokeStyle = layer.colour;
  ctx.strokeText(shown, x, y);
  ctx.fillStyle = "#ffffff";
  ctx.fillText(shown, x, y);
  return r;
};

fc.mostLeftOut = () => fc.world.scenes.reduce((most, scene) => fc.layer(scene) ? fc.layer(scene).gaps.reduce((m, gap) => Math.max(m, gap[2]), most) : most, 1);
// Three round numbers of people for the legend, up to the largest dot.
fc.gapSteps = () => [...new Set([0.05, 0.3, 1].map((share) => {
  const people = share * fc.mostLeftOut(), unit = Math.pow(10, Math.floor(Math.log10(people)));
  return Math.max(1, Math.floor(people / unit) * unit);
}))];
// Dots grow with the map, and the largest fills its cell without covering its neighbours.
fc.gapScale = (zoom) => {
  const layer = fc.layer(), most = fc.mostLeftOut();
  const metre = 256 * Math.pow(2, zoom) / (40075017 * Math.cos(fc.map.getCenter().lat * Math.PI / 180));
  return Math.min(14, Math.max(2.2, 0.55 * layer.gap_cell_m * metre)) / Math.sqrt(most);
};
fc.gapRadius = (people, scale) => Math.max(0.8, Math.sqrt(people) * scale);

fc.hatch = function (ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = fc.data.palette.no_data;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = "#a5a19a";
  pen.beginPath();
  pen.moveTo(-2, 10); pen.lineTo(10, -2); pen.moveTo(-2, 2); pen.lineTo(2, -2); pen.moveTo(6, 10); pen.lineTo(10, 6);
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
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
fc.layerSwatch = (layer, tier) => fc.swatch((c) => fc.drawFacility(c, layer, tier ?? (layer.tiers.length ? 0 : null), 13, 9, 10.8));
fc.lineSwatch = (colour, width) => fc.swatch((c) => { c.strokeStyle = colour; c.lineWidth = width; c.beginPath(); c.moveTo(1, 9); c.lineTo(25, 9); c.stroke(); });
