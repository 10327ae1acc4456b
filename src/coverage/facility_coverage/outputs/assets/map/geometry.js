"use strict";
// Coordinates: whole numbers of 1e-5 degrees become Web Mercator in 0–1, ready to be scaled to the screen.
const fc = {};

fc.project = function (lon, lat) {
  const phi = (lat / 1e5) * Math.PI / 180;
  return [lon / 1e5 / 360 + 0.5, 0.5 - Math.log(Math.tan(Math.PI / 4 + phi / 2)) / (2 * Math.PI)];
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

fc.count = (value) => value === null || value === undefined ? fc.data.texts.no_data
  : new Intl.NumberFormat(fc.data.lang === "zh" ? "zh-CN" : "en", {maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0}).format(value);

// Cut, not rounded: a share that misses 100 % by a little must not read as if it had met it.
fc.percent = (share) => share === null || share === undefined ? fc.data.texts.no_data
  : (Math.floor(share * 1000 + 1e-9) / 10).toFixed(1) + "%";

fc.colour = function (share) {
  const {breaks, classes} = fc.data.palette;
  if (share === null || share === undefined) return null;
  const index = breaks.findIndex((end) => share < end);
  return classes[index < 0 ? classes.length - 1 : index];
};
