// The time grid: how far each square of ground is from each kind of facility. Unpacked when it is first asked for.
fc.BEYOND = 252; fc.NOWHERE = 253; fc.UNATTACHED = 254; fc.OUTSIDE = 255;
fc.unpacked = new Map();

fc.unpack = function (key, make) {
  const found = fc.unpacked.get(key);
  if (found) return found.value;
  const entry = {value: null};
  fc.unpacked.set(key, entry);
  entry.promise = make().then((value) => { entry.value = value; fc.repaint(); return value; });
  return null;
};
fc.ready = async function (key, make) {
  fc.unpack(key, make);
  return fc.unpacked.get(key).promise;
};

// What a state has in common with the first is not repeated.
fc.sceneBytes = async (scene, what, layer) => await fc.bytes(scene.blobs + "-" + what + "-" + layer.id) || fc.bytes(fc.scene(0).blobs + "-" + what + "-" + layer.id);

fc.summed = function (steps, {rows, columns}) {
  const plane = steps.slice(0, rows * columns);
  for (let i = columns; i < plane.length; i++) plane[i] += plane[i - columns];
  return plane;
};
fc.unpackTimes = (scene, layer) => async () => {
  const bytes = await fc.sceneBytes(scene, "times", layer);
  if (!bytes) return null;
  const {rows, columns} = scene.grid, n = rows * columns, packed = Math.ceil(n / 4), others = n + packed, count = (bytes.length - others) / 3;
  const facility = new Uint32Array(n), none = 0xFFFFFF;
  for (let i = 0, taken = 0; i < n; i++) {
    const way = bytes[n + (i >> 2)] >> 2 * (i & 3) & 3, column = i % columns;
    if (way === 0) facility[i] = column ? facility[i - 1] : none;
    else if (way === 1) facility[i] = i >= columns ? facility[i - columns] : none;
    else if (way === 2) facility[i] = i >= columns && column < columns - 1 ? facility[i - columns + 1] : none;
    else { facility[i] = bytes[others + taken] | bytes[others + count + taken] << 8 | bytes[others + 2 * count + taken] << 16; taken++; }
  }
  return {code: fc.summed(bytes, scene.grid), facility};
};
fc.unpackPeople = (scene, layer) => async () => {
  const bytes = await fc.sceneBytes(scene, "people", layer);
  return bytes && fc.summed(bytes, scene.grid);
};
fc.times = (scene, layer) => scene.grid && fc.unpack("times" + scene.index + layer.id, fc.unpackTimes(scene, layer));
fc.timesReady = (scene, layer) => scene.grid ? fc.ready("times" + scene.index + layer.id, fc.unpackTimes(scene, layer)) : Promise.resolve(null);

// The squares within the cutoff of a facility, as runs [first, length].
fc.catchment = function (scene, f) {
  const runs = scene.grid && fc.unpack("reach" + scene.index + f.layer.id, async () => {
    const bytes = await fc.sceneBytes(scene, "reach", f.layer);
    if (!bytes) return null;
    let at = 0;
    const next = () => { let value = 0, shift = 0, byte; do { byte = bytes[at++]; value |= (byte & 127) << shift; shift += 7; } while (byte & 128); return value; };
    return f.layer.facilities.map(() => {
      const found = [];
      let square = 0;
      for (let left = next(); left > 0; left--) { square += next(); const length = next(); found.push([square, length]); square += length; }
      return found;
    });
  });
  return runs ? runs[f.index] : [];
};

fc.square = function (scene, x, y) {
  const g = scene.grid;
  if (!g) return -1;
  const column = Math.floor((x - g.x) / g.side), row = Math.floor((y - g.y) / g.side);
  return column < 0 || row < 0 || column >= g.columns || row >= g.rows ? -1 : row * g.columns + column;
};

// What a place is told of one kind of facility.
fc.answer = function (scene, layer, times, x, y, zone) {
  const square = fc.square(scene, x, y), code = square < 0 ? fc.OUTSIDE : times.code[square];
  const cutoff = zone ? layer.cutoff_min[zone.area_type] : null, at = {x, y};
  let straight = null, straightM = Infinity;
  for (const f of layer.facilities) { const m = fc.metres(at, f); if (m < straightM) { straightM = m; straight = f; } }
  const found = {layer, code, cutoff, straight, straightM, minutes: null, facility: null, covered: false, why: ""};
  if (code === fc.OUTSIDE || !zone) return found;
  if (code < fc.BEYOND) {
    found.minutes = layer.bounds_s[code] / 60;
    found.covered = found.minutes <= cutoff + 1e-9;
  }
  if (code <= fc.BEYOND) found.facility = layer.facilities[times.facility[square]] || null;
  if (!found.covered) found.why = fc.whyNot(found);
  return found;
};
fc.whyNot = function ({layer, code, cutoff, straightM, minutes}) {
  const t = fc.data.texts, metres = layer.level_speed_kmh ? layer.level_speed_kmh / 3.6 * cutoff * 60 : null;
  if (!layer.facilities.length) return t.why_none;
  if (code === fc.UNATTACHED) return fc.said(t.why_unattached, {metres: fc.number(fc.data.max_access_m)});
  if (code === fc.NOWHERE) return t.why_nowhere;
  if (metres === null) return fc.said(t.why_slow, {cutoff: fc.number(cutoff)});
  const values = {straight: fc.distance(straightM), cutoff: fc.number(cutoff), reach: fc.distance(metres), minutes: minutes === null ? "" : fc.minutes(minutes)};
  return fc.said(straightM <= metres ? t.why_detour : t.why_far, values);
};

// Pictures of the grid, a pixel for each square.
fc.picture = function (key, scene, colourOf) {
  const drawn = fc.pictures.get(key);
  if (drawn) return drawn;
  const g = scene.grid, canvas = document.createElement("canvas");
  canvas.width = g.columns;
  canvas.height = g.rows;
  const ctx = canvas.getContext("2d"), image = ctx.createImageData(g.columns, g.rows), pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colourOf(i);
  ctx.putImageData(image, 0, 0);
  fc.pictures.set(key, canvas);
  return canvas;
};
fc.pictures = new Map();
fc.pixel = (colour, alpha) => { const n = parseInt(colour.slice(1), 16); return (Math.round(alpha * 255) << 24 | (n & 255) << 16 | (n >> 8 & 255) << 8 | n >> 16) >>> 0; };

fc.bandOf = (minutes) => { const i = fc.data.palette.bands_min.findIndex((end) => minutes <= end + 1e-9); return i < 0 ? fc.data.palette.bands_min.length : i; };
fc.bandsPicture = function (scene, layer) {
  const times = fc.times(scene, layer);
  if (!times) return null;
  const p = fc.data.palette, shades = p.bands.map((colour) => fc.pixel(colour, 0.86)), none = fc.pixel(p.no_data, 0.86);
  const byCode = Array.from({length: 256}, (_, code) => code === fc.OUTSIDE ? 0 : code < fc.BEYOND && code < layer.bounds_s.length ? shades[fc.bandOf(layer.bounds_s[code] / 60)]
    : code >= fc.NOWHERE ? none : shades[shades.length - 1]);
  return fc.picture("bands" + scene.index + layer.id, scene, (i) => byCode[times.code[i]]);
};
fc.peoplePicture = function (scene, layer) {
  const classes = scene.grid && fc.unpack("people" + scene.index + layer.id, fc.unpackPeople(scene, layer));
  if (!classes) return null;
  const p = fc.data.palette, shades = [0, ...[...p.covered, ...p.left_out].map((colour) => fc.pixel(colour, 0.92))];
  return fc.picture("people" + scene.index + layer.id, scene, (i) => shades[classes[i]]);
};
