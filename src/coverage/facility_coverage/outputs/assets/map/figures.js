// Figures as people write them: the same rules as in the tables and the report.
fc.count = (value) => value === null || value === undefined ? fc.data.texts.no_data
  : new Intl.NumberFormat(fc.data.lang === "zh" ? "zh-CN" : "en", {maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0}).format(value);

// Cut, not rounded: a share that misses 100 % by a little must not read as if it had met it.
fc.cut = (value, digits) => Math.floor(value * Math.pow(10, digits) + 1e-9) / Math.pow(10, digits);
fc.percent = (share) => share === null || share === undefined ? fc.data.texts.no_data : fc.cut(share * 100, 1).toFixed(1) + "%";

// People left out, whole persons, as the verdicts count them: never fewer than there are.
fc.leftOut = (people, covered) => people === null ? null : Math.max(0, Math.ceil(people - covered - 0.002));
fc.grouped = (value, digits) => {
  const text = new Intl.NumberFormat("en", {minimumFractionDigits: digits, maximumFractionDigits: digits}).format(value);
  return digits ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
};
fc.number = (value) => value === null || value === undefined ? fc.data.texts.no_data : fc.grouped(value, Math.abs(value) >= 100 ? 0 : 2);
fc.figure = function (scale, value) {
  if (value === null || value === undefined) return fc.data.texts.no_data;
  if (scale === "share") return fc.percent(value);
  if (scale === "count") return fc.number(fc.cut(value, Math.abs(value) < 100 ? 2 : 0));
  const shown = fc.bare(scale, value), pattern = fc.data.texts["rate_" + scale];
  return pattern ? pattern.replace("{}", () => shown) : shown + (scale === "%" ? "" : " ") + scale;
};
// Under a heading that states the unit, a rate is its number alone.
fc.bare = (scale, value) => value === null || value === undefined ? fc.data.texts.no_data : scale === "share" ? fc.percent(value)
  : scale === "count" ? fc.figure(scale, value)
  : fc.grouped(scale === "minutes" ? 0 - fc.cut(-value, 2) : fc.cut(value, 2), 2);  // less is better: never rounded down
fc.said = (pattern, values) => Object.entries(values).reduce((text, [key, value]) => text.replace("{" + key + "}", () => value), pattern);
fc.distance = (metres) => metres < 995 ? Math.round(metres / 10) * 10 + " " + fc.data.texts.metre : fc.grouped(metres / 1000, 1) + " " + fc.data.texts.kilometre;
// Rounded up, so that "15 minutes" is within 15 minutes.
fc.minutes = (minutes) => Math.ceil(minutes - 1e-9) + " " + fc.data.texts.minutes;
