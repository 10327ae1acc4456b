// On paper: the map as large as the sheet allows, drawn anew at print resolution, with its legend beside it.
fc.printing = false;
fc.beforePrint = function () {
  if (fc.printing) return;
  fc.printing = true;
  fc.leafBefore = fc.state.leaf;
  fc.viewBefore = fc.map.getBounds();
  document.documentElement.classList.add("fc-printing");
  if (fc.leaf) { fc.openLeaf("legend"); }
  fc.views.forEach((view) => view.map.invalidateSize({animate: false}));
  fc.map.fitBounds(fc.viewBefore, {animate: false});
  fc.views.forEach((view) => view.painter._update());
};
fc.afterPrint = function () {
  if (!fc.printing) return;
  fc.printing = false;
  document.documentElement.classList.remove("fc-printing");
  if (fc.leaf) fc.openLeaf(fc.leafBefore);
  fc.views.forEach((view) => view.map.invalidateSize({animate: false}));
  fc.map.fitBounds(fc.viewBefore, {animate: false});
  fc.views.forEach((view) => view.painter._update());
};
