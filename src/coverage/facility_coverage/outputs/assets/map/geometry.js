"use strict";
// Coordinates: whole numbers of 1e-5 degrees become Web Mercator in 0–1, ready to be scaled to the screen.
const fc = {};

fc.project = function (lon, lat) {
  const phi = (lat / 1e5) * Math.PI / 180;
  return [lon / 1e5 / 360 + 0.5, 0.5 - Math.log(Math.tan(Math.PI / 4 + phi / 2)) / (2 * Math.PI)];
};
fc.degrees = (x, y) => [Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI, x * 360 - 180];
// Metres on the ground between two places near each other.
fc.metres = function (a, b) {
  const [lat, lon] = fc.degrees(a.x, a.y), [lat2, lon2] = fc.degrees(b.x, b.y), half = Math.PI / 360;
  const h = Math.sin((lat2 - lat) * half) ** 2 + Math.cos(lat * 2 * half) * Math.cos(lat2 * 2 * half) * Math.sin((lon2 - lon) * half) ** 2;
  return 2 * 6371008.8 * Math.asin(Math.sqrt(h));
};

fc.decode = function (flat) {
  const xy = new Float64Array(flat.length);
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  let lon = 0, lat = 0;
  for (let i = 0; i < flat.length; i += 2) {
    lon += flat[i];
    lat += flat[i + 1];
    const [x, y] = fc.project(lon, lat);
    xy[i] = x;
    xy[i + 1] = y;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  return {xy, box};
};
fc.shapes = (encoded) => (encoded || []).map(fc.decode);

fc.inside = function (rings, x, y) {
  let odd = false;
  for (const {xy, box} of rings) {
    if (x < box[0] || x > box[2] || y < box[1] || y > box[3]) continue;
    for (let i = 0, j = xy.length - 2; i < xy.length; j = i, i += 2) {
      const above = xy[i + 1] > y;
      if (above !== xy[j + 1] > y && x < (xy[j] - xy[i]) * (y - xy[i + 1]) / (xy[j + 1] - xy[i + 1]) + xy[i]) odd = !odd;
    }
  }
  return odd;
};

fc.boxOf = function (shapes) {
  const all = [Infinity, Infinity, -Infinity, -Infinity];
  shapes.forEach(({box: b}) => { all[0] = Math.min(all[0], b[0]); all[1] = Math.min(all[1], b[1]); all[2] = Math.max(all[2], b[2]); all[3] = Math.max(all[3], b[3]); });
  return all;
};
fc.bounds = (shapes) => { const b = fc.boxOf(shapes); return [fc.degrees(b[0], b[3]), fc.degrees(b[2], b[1])]; };

fc.node = function (tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = String(text);
  return node;
};
fc.button = function (className, label, text, action) {
  const button = fc.node("button", className, text);
  button.type = "button";
  if (label) button.setAttribute("aria-label", label);
  button.addEventListener("click", action);
  return button;
};
fc.option = function (value, text) {
  const option = fc.node("option", "", text);
  option.value = value;
  return option;
};

// What the page carries: in blocks of its own, or given by the page around it.
fc.given = null;
fc.block = (name) => fc.given ? fc.given[name] : (document.getElementById("fc-" + name) || {}).textContent;
fc.bytes = async function (name) {
  const text = fc.block(name);
  if (!text) return null;
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
