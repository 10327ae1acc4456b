// One canvas for the whole map: order, halos and patterns are ours, panning and zooming are Leaflet's.
fc.ROADS = {
  path: {from: 14, width: [0.7, 1], colour: "#b9b2a6", dash: [3, 2.5]},
  minor: {from: 12.25, width: [0.6, 2.4], colour: "#ffffff", casing: "#b4b0a8"},
  tertiary: {from: 11.5, width: [0.6, 3.4], colour: "#ffffff", casing: "#9f9b94"},
  secondary: {from: 0, width: [0.8, 4.4], colour: "#fffdf4", casing: "#8f8b84"},
  primary: {from: 0, width: [1.1, 5.2], colour: "#fbe3a6", casing: "#8a7a55"},
  motorway: {from: 0, width: [1.7, 6], colour: "#f0b45f", casing: "#8a5a1c"},
};
fc.FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",system-ui,sans-serif';

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

fc.mostLeftOut = () => fc.layer().gaps.reduce((most, gap) => Math.max(most, gap[2]), 1);
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

fc.Painter = L.Renderer.extend({
  options: {padding: 0.25},
  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.setAttribute("aria-hidden", "true");
    this._ctx = this._container.getContext("2d");
  },
  _destroyContainer() { this._container.remove(); delete this._container; },
  _updatePaths() {},
  repaint() { if (this._map && this._container) this._paint(); },
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize(), ratio = Math.min(2, window.devicePixelRatio || 1);
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this._container.width = size.x * ratio;
    this._container.height = size.y * ratio;
    this._container.style.width = size.x + "px";
    this._container.style.height = size.y + "px";
    this._ratio = ratio;
    this._paint();
  },
  _paint() {
    const ctx = this._ctx, b = this._bounds, zoom = this._zoom, s = fc.state;
    const scale = 256 * Math.pow(2, zoom), origin = this._map.getPixelOrigin();
    this._t = {k: scale, x: -origin.x, y: -origin.y};
    const pad = 20 / scale;
    this._seen = [(b.min.x + origin.x) / scale - pad, (b.min.y + origin.y) / scale - pad,
      (b.max.x + origin.x) / scale + pad, (b.max.y + origin.y) / scale + pad];
    ctx.setTransform(this._ratio, 0, 0, this._ratio, -b.min.x * this._ratio, -b.min.y * this._ratio);
    ctx.lineJoin = ctx.lineCap = "round";
    ctx.fillStyle = "#f3f1ec";
    ctx.fillRect(b.min.x, b.min.y, b.max.x - b.min.x, b.max.y - b.min.y);
    this._neighbours(ctx);
    this._zones(ctx);
    if (s.show.relief) this._relief(ctx);
    if (s.show.water) this._water(ctx, zoom);
    if (s.show.service) this._service(ctx, zoom);
    if (s.show.roads) this._roads(ctx, zoom);
    this._outlines(ctx, zoom);
    if (s.show.gaps) this._gaps(ctx, zoom);
    this._facilities(ctx, zoom);
    this._labels(ctx, zoom);
    this._chosen(ctx, zoom);
  },
  _at(x, y) { return [x * this._t.k + this._t.x, y * this._t.k + this._t.y]; },
  _visible(box) { const s = this._seen; return box[0] <= s[2] && box[2] >= s[0] && box[1] <= s[3] && box[3] >= s[1]; },
  _trace(ctx, shapes, closed) {
    const {k, x, y} = this._t;
    ctx.beginPath();
    for (const {xy, box} of shapes) {
      if (!this._visible(box)) continue;
      ctx.moveTo(xy[0] * k + x, xy[1] * k + y);
      for (let i = 2; i < xy.length; i += 2) ctx.lineTo(xy[i] * k + x, xy[i + 1] * k + y);
      if (closed) ctx.closePath();
    }
  },
  _neighbours(ctx) {
    for (const n of fc.world.neighbours) {
      this._trace(ctx, n.area, true);
      ctx.fillStyle = "#ebe8e1";
      ctx.fill("evenodd");
      ctx.lineWidth = 1;
      ctx.strokeStyle = "#aaa59b";
      ctx.setLineDash([6, 3]);
      ctx.stroke();
      ctx.setLineDash([]);
    }
  },
  _zones(ctx) {
    const hatch = fc.hatch(ctx);
    for (const zone of fc.world.zones) {
      this._trace(ctx, zone.area, true);
      ctx.fillStyle = fc.zoneColour(zone) || hatch;
      ctx.fill("evenodd");
    }
  },
  _relief(ctx) {
    const relief = fc.world.relief;
    if (!relief || !relief.image.complete || !relief.image.naturalWidth) return;
    const [x0, y0] = this._at(...relief.nw), [x1, y1] = this._at(...relief.se);
    ctx.save();
    ctx.globalCompositeOperation = "multiply";
    ctx.globalAlpha = 0.75;
    ctx.drawImage(relief.image, x0, y0, x1 - x0, y1 - y0);
    ctx.restore();
  },
  _water(ctx, zoom) {
    this._trace(ctx, fc.world.water.areas, true);
    ctx.fillStyle = "#a9cde6";
    ctx.fill("evenodd");
    ctx.lineWidth = 0.7;
    ctx.strokeStyle = "#78a9cc";
    ctx.stroke();
    this._trace(ctx, fc.world.water.lines, false);
    ctx.lineWidth = Math.max(0.9, (zoom - 8) * 0.5);
    ctx.strokeStyle = "#86b6d8";
    ctx.stroke();
  },
  _service(ctx, zoom) {
    this._trace(ctx, fc.layer().service, true);
    ctx.fillStyle = "rgba(255,255,255,0.34)";
    ctx.fill("evenodd");
    // Outlines of hundreds of small areas would be all there is to see from afar.
    ctx.lineWidth = zoom < 11.5 ? 0.5 : 1;
    ctx.strokeStyle = fc.data.palette.service;
    ctx.globalAlpha = zoom < 11.5 ? 0.35 : 0.75;
    ctx.stroke();
    ctx.globalAlpha = 1;
  },
  _roads(ctx, zoom) {
    const grow = Math.min(1, Math.max(0, (zoom - 10.5) / 6));
    for (const casing of [true, false]) {
      for (const [name, lines] of Object.entries(fc.world.roads)) {
        const style = fc.ROADS[name];
        if (zoom < style.from || (casing && (!style.casing))) continue;
        const width = style.width[0] + grow * (style.width[1] - style.width[0]);
        const thin = width < 1.5;
        if (thin && !casing && style.casing) continue;
        this._trace(ctx, lines, false);
        ctx.lineWidth = casing && !thin ? width + 1.2 : width;
        ctx.strokeStyle = casing ? style.casing : style.colour;
        ctx.globalAlpha = casing ? 0.7 : 1;
        ctx.setLineDash(style.dash || []);
        ctx.stroke();
        ctx.setLineDash([]);
        ctx.globalAlpha = 1;
      }
    }
  },
  _outlines(ctx, zoom) {
    const b = this._bounds;
    for (const zone of fc.world.zones) {
      this._trace(ctx, zone.area, true);
      ctx.lineWidth = zoom < 10 ? 0.7 : 1.1;
      ctx.strokeStyle = "#5d6870";
      ctx.stroke();
    }
    // A veil over what lies beyond the study keeps the eye inside it.
    this._trace(ctx, fc.world.boundary, true);
    ctx.rect(b.min.x, b.min.y, b.max.x - b.min.x, b.max.y - b.min.y);
    ctx.fillStyle = "rgba(243,241,236,0.5)";
    ctx.fill("evenodd");
    this._trace(ctx, fc.world.boundary, true);
    ctx.lineWidth = 5.5;
    ctx.strokeStyle = "rgba(255,255,255,0.85)";
    ctx.stroke();
    ctx.lineWidth = 2.4;
    ctx.strokeStyle = "#2b2f36";
    ctx.stroke();
  },
  _gaps(ctx, zoom) {
    const scale = fc.gapScale(zoom), {k, x, y} = this._t, s = this._seen;
    ctx.fillStyle = fc.data.palette.gap;
    ctx.globalAlpha = 0.7;
    ctx.beginPath();
    for (const [gx, gy, people] of fc.layer().gaps) {
      if (gx < s[0] || gx > s[2] || gy < s[1] || gy > s[3]) continue;
      const r = fc.gapRadius(people, scale), px = gx * k + x, py = gy * k + y;
      ctx.moveTo(px + r, py);
      ctx.arc(px, py, r, 0, 2 * Math.PI);
    }
    ctx.fill();
    ctx.globalAlpha = 1;
  },
  _facilities(ctx, zoom) {
    for (const layer of fc.world.layers) {
      if (!fc.facilitiesShown(layer)) continue;
      for (const f of layer.facilities) {
        if (!this._visible([f.x, f.y, f.x, f.y])) continue;
        fc.drawFacility(ctx, layer, f.tier, ...this._at(f.x, f.y), zoom);
      }
    }
  },
  _chosen(ctx, zoom) {
    const {zone, facility} = fc.state;
    if (zone) {
      this._trace(ctx, zone.area, true);
      ctx.lineWidth = 5;
      ctx.strokeStyle = "#ffffff";
      ctx.stroke();
      ctx.lineWidth = 2.6;
      ctx.strokeStyle = "#c2185b";
      ctx.stroke();
    }
    if (facility) {
      const [x, y] = this._at(facility.x, facility.y);
      const r = fc.drawFacility(ctx, facility.layer, facility.tier, x, y, zoom);
      ctx.beginPath();
      ctx.arc(x, y, r + 5, 0, 2 * Math.PI);
      ctx.lineWidth = 2.6;
      ctx.strokeStyle = "#c2185b";
      ctx.stroke();
    }
  },
  _labels(ctx, zoom) {
    const taken = [];
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const write = (text, x, y, size, weight, colour, halo) => {
      ctx.font = weight + " " + size + "px " + fc.FONT;
      const w = ctx.measureText(text).width / 2 + 4, h = size / 2 + 3;
      if (taken.some((t) => Math.abs(t[0] - x) < t[2] + w && Math.abs(t[1] - y) < t[3] + h)) return;
      taken.push([x, y, w, h]);
      ctx.lineWidth = 3.4;
      ctx.strokeStyle = halo;
      ctx.strokeText(text, x, y);
      ctx.fillStyle = colour;
      ctx.fillText(text, x, y);
    };
    if (fc.state.show.labels) {
      for (const zone of fc.world.byRadius) {
        const radius = zone.radius * this._t.k;
        if (radius < 13 && zoom < 12.5) continue;
        const size = Math.min(16, 11.5 + Math.max(0, zoom - 9.5) * 1);
        write(zone.name.slice(0, 40), ...this._at(...zone.at), size, 600, "#1d262e", "rgba(255,255,255,0.94)");
      }
    }
    for (const n of fc.world.neighbours) write(n.name.slice(0, 40), ...this._at(...n.at), 13, 400, "#66625b", "rgba(243,241,236,0.9)");
    if (zoom < 14.25) return;
    for (const layer of fc.world.layers) {
      if (!fc.facilitiesShown(layer)) continue;
      for (const f of layer.facilities.slice().reverse()) {
        if (!this._visible([f.x, f.y, f.x, f.y])) continue;
        const [x, y] = this._at(f.x, f.y);
        write(f.name.slice(0, 40), x, y + 18, 11.5, 500, layer.colour, "rgba(255,255,255,0.92)");
      }
    }
  },
});
