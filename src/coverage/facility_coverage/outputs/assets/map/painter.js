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
// Beyond so many facilities in sight, those that stand together become one symbol with their number.
fc.MANY = 600;
fc.TOGETHER_PX = 54;

fc.Painter = L.Renderer.extend({
  options: {padding: 0.25, panes: () => [{scene: 0, from: 0, to: 1}]},
  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.setAttribute("aria-hidden", "true");
    this._ctx = this._container.getContext("2d");
  },
  _destroyContainer() { this._container.remove(); delete this._container; },
  _updatePaths() {},
  repaint() {
    if (!this._map || !this._container || this._asked) return;
    this._asked = true;
    Promise.resolve().then(() => { this._asked = false; if (this._container) this._paint(); });
  },
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize(), ratio = fc.printing ? 3 : Math.min(2, window.devicePixelRatio || 1);
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this._container.width = size.x * ratio;
    this._container.height = size.y * ratio;
    this._container.style.width = size.x + "px";
    this._container.style.height = size.y + "px";
    this._ratio = ratio;
    this._paint();
  },
  _paint() {
    const ctx = this._ctx, b = this._bounds, zoom = this._zoom, size = this._map.getSize();
    if (!b) return;
    const scale = 256 * Math.pow(2, zoom), origin = this._map.getPixelOrigin();
    this._t = {k: scale, x: -origin.x, y: -origin.y};
    const pad = 20 / scale;
    this._seen = [(b.min.x + origin.x) / scale - pad, (b.min.y + origin.y) / scale - pad,
      (b.max.x + origin.x) / scale + pad, (b.max.y + origin.y) / scale + pad];
    ctx.setTransform(this._ratio, 0, 0, this._ratio, -b.min.x * this._ratio, -b.min.y * this._ratio);
    ctx.clearRect(b.min.x, b.min.y, b.max.x - b.min.x, b.max.y - b.min.y);
    ctx.lineJoin = ctx.lineCap = "round";
    this._clusters = [];
    const left = this._map.containerPointToLayerPoint([0, 0]).x;
    for (const pane of this.options.panes()) {
      ctx.save();
      const from = pane.from <= 0 ? b.min.x : left + pane.from * size.x, to = pane.to >= 1 ? b.max.x : left + pane.to * size.x;
      ctx.beginPath();
      ctx.rect(from, b.min.y, to - from, b.max.y - b.min.y);
      ctx.clip();
      this._paintScene(ctx, zoom, fc.scene(pane.scene));
      ctx.restore();
    }
  },
  _paintScene(ctx, zoom, scene) {
    const s = fc.state, b = this._bounds, layer = fc.layer(scene);
    this._scene = scene;
    if (!s.tiles) {
      ctx.fillStyle = "#f3f1ec";
      ctx.fillRect(b.min.x, b.min.y, b.max.x - b.min.x, b.max.y - b.min.y);
      this._neighbours(ctx);
    }
    this._zones(ctx, scene);
    if (s.show.relief && !s.tiles) this._relief(ctx);
    if (layer && s.show.bands) this._image(ctx, scene, fc.bandsPicture(scene, layer));
    if (s.show.water && !s.tiles) this._water(ctx, zoom);
    if (layer && s.show.service && !s.show.bands) this._service(ctx, zoom, layer);
    if (s.show.roads && !s.tiles) this._roads(ctx, zoom);
    if (layer && s.show.people) this._image(ctx, scene, fc.peoplePicture(scene, layer));
    this._outlines(ctx, zoom);
    if (layer && fc.dotsShown() && !s.show.people) this._gaps(ctx, zoom, layer);
    this._catchment(ctx, scene);
    this._facilities(ctx, zoom, scene);
    if (s.show.sites) this._sites(ctx, zoom);
    this._labels(ctx, zoom, scene);
    this._chosen(ctx, zoom, scene);
  },
  _at(x, y) { return [x * this._t.k + this._t.x, y * this._t.k + this._t.y]; },
  _visible(box) { const s = this._seen; return box[0] <= s[2] && box[2] >= s[0] && box[1] <= s[3] && box[3] >= s[1]; },
  _inSight(f) { const s = this._seen; return f.x >= s[0] && f.x <= s[2] && f.y >= s[1] && f.y <= s[3]; },
  _trace(ctx, shapes, closed) {
    const {k, x, y} = this._t;
    ctx.beginPath();
    for (const {xy, box} of shapes) {
      if (!this._visible(box)) continue;
      // A ring smaller than a pixel is a speck.
      if ((box[2] - box[0]) * k < 0.7 && (box[3] - box[1]) * k < 0.7) continue;
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
  _zones(ctx, scene) {
    const hatch = fc.hatch(ctx);
    for (const zone of fc.world.zones) {
      if (!this._visible(zone.box)) continue;
      this._trace(ctx, zone.area, true);
      ctx.globalAlpha = (fc.state.tiles ? 0.62 : 1) * (fc.zoneShown(zone, scene) ? 1 : 0.16);
      // Squares of people lie on plain ground: a town's own colour between them would say something else.
      ctx.fillStyle = fc.state.show.people && fc.layer(scene) ? "#efede7" : fc.zoneColour(zone, scene) || hatch;
      ctx.fill("evenodd");
      ctx.globalAlpha = 1;
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
  _image(ctx, scene, picture) {
    if (!picture) return;
    const g = scene.grid, [x0, y0] = this._at(g.x, g.y), [x1, y1] = this._at(g.x + g.columns * g.side, g.y + g.rows * g.side);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(picture, x0, y0, x1 - x0, y1 - y0);
    ctx.imageSmoothingEnabled = true;
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
  _service(ctx, zoom, layer) {
    this._trace(ctx, layer.service, true);
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
    const b = this._bounds, many = fc.world.zones.length > 400 && zoom < 11;
    for (const zone of fc.world.zones) {
      if (!this._visible(zone.box)) continue;
      this._trace(ctx, zone.area, true);
      ctx.lineWidth = many ? 0.3 : zoom < 10 ? 0.7 : 1.1;
      ctx.strokeStyle = "#5d6870";
      ctx.stroke();
    }
    for (const district of fc.world.districts) {
      this._trace(ctx, district.area, true);
      for (const [width, ink] of [[4, "rgba(255,255,255,0.8)"], [1.9, "#2b2f36"]]) {
        ctx.lineWidth = width;
        ctx.strokeStyle = ink;
        ctx.stroke();
      }
    }
    // A veil over what lies beyond the study keeps the eye inside it.
    if (!fc.state.tiles) {
      this._trace(ctx, fc.world.boundary, true);
      ctx.rect(b.min.x, b.min.y, b.max.x - b.min.x, b.max.y - b.min.y);
      ctx.fillStyle = "rgba(243,241,236,0.5)";
      ctx.fill("evenodd");
    }
    this._trace(ctx, fc.world.boundary, true);
    ctx.lineWidth = 5.5;
    ctx.strokeStyle = "rgba(255,255,255,0.85)";
    ctx.stroke();
    ctx.lineWidth = 2.4;
    ctx.strokeStyle = "#2b2f36";
    ctx.stroke();
  },
  _gaps(ctx, zoom, layer) {
    const scale = fc.gapScale(zoom), {k, x, y} = this._t, s = this._seen;
    ctx.fillStyle = fc.data.palette.gap;
    ctx.globalAlpha = 0.7;
    ctx.beginPath();
    for (const [gx, gy, people] of layer.gaps) {
      if (gx < s[0] || gx > s[2] || gy < s[1] || gy > s[3]) continue;
      const r = fc.gapRadius(people, scale), px = gx * k + x, py = gy * k + y;
      ctx.moveTo(px + r, py);
      ctx.arc(px, py, r, 0, 2 * Math.PI);
    }
    ctx.fill();
    ctx.globalAlpha = 1;
  },
  _catchment(ctx, scene) {
    const f = fc.state.facility;
    if (!f || f.layer.scene !== scene) return;
    const g = scene.grid, {k, x, y} = this._t;
    ctx.fillStyle = fc.data.palette.chosen;
    ctx.globalAlpha = 0.34;
    ctx.beginPath();
    for (const [first, length] of fc.catchment(scene, f)) {
      // A run may go on in the next row.
      for (let at = first, left = length; left > 0;) {
        const column = at % g.columns, row = (at - column) / g.columns, here = Math.min(left, g.columns - column);
        ctx.rect((g.x + column * g.side) * k + x, (g.y + row * g.side) * k + y, here * g.side * k, g.side * k);
        at += here;
        left -= here;
      }
    }
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.strokeStyle = fc.data.palette.chosen;
    ctx.lineWidth = 1.8;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    const others = [...f.led, ...(f.leader === null ? [] : [f.leader])].map((i) => f.layer.facilities[i]);
    others.forEach((one) => { ctx.moveTo(...this._at(f.x, f.y)); ctx.lineTo(...this._at(one.x, one.y)); });
    ctx.stroke();
    ctx.setLineDash([]);
  },
  _facilities(ctx, zoom, scene) {
    const inSight = [];
    for (const layer of scene.layers) {
      if (!fc.layerShown(layer)) continue;
      for (const f of layer.facilities) if (this._inSight(f) && fc.facilityShown(f)) inSight.push(f);
    }
    this._drawn = inSight;
    if (inSight.length <= fc.MANY) {
      for (const f of inSight) fc.drawFacility(ctx, f.layer, f.tier, ...this._at(f.x, f.y), zoom);
      return;
    }
    const side = fc.TOGETHER_PX / this._t.k, cells = new Map();
    for (const f of inSight) {
      const key = f.layer.index + ":" + Math.floor(f.x / side) + ":" + Math.floor(f.y / side), cell = cells.get(key);
      if (cell) { cell.x += f.x; cell.y += f.y; cell.members.push(f); } else cells.set(key, {x: f.x, y: f.y, layer: f.layer, members: [f]});
    }
    this._drawn = [];
    for (const cell of cells.values()) {
      const n = cell.members.length;
      if (n < 4) {
        cell.members.forEach((f) => { this._drawn.push(f); fc.drawFacility(ctx, f.layer, f.tier, ...this._at(f.x, f.y), zoom); });
      } else {
        const spot = {x: cell.x / n, y: cell.y / n, layer: cell.layer, members: cell.members, scene};
        spot.r = fc.drawCluster(ctx, cell.layer, n, ...this._at(spot.x, spot.y));
        this._clusters.push(spot);
      }
    }
  },
  _sites(ctx, zoom) {
    const r = Math.min(11, Math.max(7.5, 7.5 + (zoom - 10) * 0.8));
    // The first is drawn last: it gains most.
    for (const site of fc.world.sites.slice().reverse()) if (this._inSight(site)) fc.drawSite(ctx, site.order, ...this._at(site.x, site.y), r);
  },
  _chosen(ctx, zoom, scene) {
    const {zone, facility, ground, site} = fc.state, colour = fc.data.palette.chosen;
    if (zone) {
      this._trace(ctx, zone.area, true);
      ctx.lineWidth = 5;
      ctx.strokeStyle = "#ffffff";
      ctx.stroke();
      ctx.lineWidth = 2.6;
      ctx.strokeStyle = colour;
      ctx.stroke();
    }
    if (facility && facility.layer.scene === scene) {
      const [x, y] = this._at(facility.x, facility.y);
      const r = fc.drawFacility(ctx, facility.layer, facility.tier, x, y, zoom);
      ctx.beginPath();
      ctx.arc(x, y, r + 5, 0, 2 * Math.PI);
      ctx.lineWidth = 2.6;
      ctx.strokeStyle = colour;
      ctx.stroke();
    }
    if (site) {
      const [x, y] = this._at(site.x, site.y);
      ctx.beginPath();
      ctx.arc(x, y, 17, 0, 2 * Math.PI);
      ctx.lineWidth = 2.6;
      ctx.strokeStyle = colour;
      ctx.stroke();
    }
    if (ground) {
      const [x, y] = this._at(ground.x, ground.y);
      ctx.strokeStyle = colour;
      ctx.lineWidth = 1.4;
      ctx.setLineDash([4, 3]);
      for (const f of ground.nearest || []) {
        if (f.layer.scene !== scene || !fc.layerShown(f.layer)) continue;
        ctx.beginPath();
        ctx.moveTo(x, y);
        ctx.lineTo(...this._at(f.x, f.y));
        ctx.stroke();
      }
      ctx.setLineDash([]);
      for (const [width, ink] of [[5, "#ffffff"], [2.4, colour]]) {
        ctx.lineWidth = width;
        ctx.strokeStyle = ink;
        ctx.beginPath();
        ctx.moveTo(x - 9, y); ctx.lineTo(x + 9, y); ctx.moveTo(x, y - 9); ctx.lineTo(x, y + 9);
        ctx.stroke();
      }
    }
  },
  _labels(ctx, zoom, scene) {
    const taken = this._clusters.map((c) => [...this._at(c.x, c.y), c.r, c.r]);
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
      if (zoom < 10.5) for (const d of fc.world.districts) write(d.name.slice(0, 40), ...this._at(...d.at), 15, 700, "#111820", "rgba(255,255,255,0.96)");
      for (const zone of fc.world.byRadius) {
        const radius = zone.radius * this._t.k;
        if (radius < 13 && zoom < 12.5) continue;
        if (!this._visible(zone.box)) continue;
        const size = Math.min(16, 11.5 + Math.max(0, zoom - 9.5) * 1);
        write(zone.name.slice(0, 40), ...this._at(...zone.at), size, 600, "#1d262e", "rgba(255,255,255,0.94)");
      }
    }
    if (!fc.state.tiles) for (const n of fc.world.neighbours) write(n.name.slice(0, 40), ...this._at(...n.at), 13, 400, "#66625b", "rgba(243,241,236,0.9)");
    if (zoom < 14.25 || this._drawn.length > 1500) return;
    for (const f of this._drawn.slice().reverse()) {
      const [x, y] = this._at(f.x, f.y);
      write(f.name.slice(0, 40), x, y + 18, 11.5, 500, f.layer.colour, "rgba(255,255,255,0.92)");
    }
  },
});
