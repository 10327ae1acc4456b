"use strict";
// Maps that come alive where they are seen. One page of code and one content for each run serve all of them.
(function () {
  const zh = document.documentElement.lang !== "en", alive = new Map();
  const text = (node) => (node ? node.textContent : "");
  if (typeof DecompressionStream === "undefined" || typeof IntersectionObserver === "undefined") return;

  const contents = {};
  const content = function (run) {
    if (!contents[run]) {
      contents[run] = {};
      document.querySelectorAll('script[data-run="' + run + '"]').forEach((node) => { contents[run][node.dataset.name] = text(node); });
    }
    return contents[run];
  };
  let frame = null;
  const code = function () {
    if (!frame) {
      const packed = Uint8Array.from(atob(text(document.getElementById("report-frame"))), (c) => c.charCodeAt(0));
      frame = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
    }
    return frame;
  };

  const wake = async function (figure) {
    if (alive.has(figure)) return;
    const node = document.createElement("iframe");
    alive.set(figure, node);
    node.setAttribute("sandbox", "allow-scripts");
    node.loading = "lazy";
    node.title = figure.querySelector("img").alt + (zh ? "（可操作）" : " (live)");
    const page = await code();
    if (alive.get(figure) !== node) return;
    node.srcdoc = page;
    figure.querySelector(".stage").append(node);
  };
  // A long report must not hold a hundred maps: those far out of sight are pictures again.
  const rest = function (figure) {
    const node = alive.get(figure);
    if (!node || node.contains(document.activeElement)) return;
    alive.delete(figure);
    node.remove();
    delete figure.dataset.live;
  };
  window.addEventListener("message", (event) => {
    for (const [figure, node] of alive) {
      if (event.source !== node.contentWindow) continue;
      if (event.data === "fc-ready") node.contentWindow.postMessage({fcPayload: content(figure.dataset.run), fcShow: {panel: "none", theme: figure.dataset.theme}}, "*");
      if (event.data === "fc-drawn") figure.dataset.live = "yes";
    }
  });
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => (entry.isIntersecting ? wake : rest)(entry.target)), {rootMargin: "500px 0px"});
  document.querySelectorAll("figure.map").forEach((figure) => seen.observe(figure));

  // On paper every list is open.
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((node) => { node.open = true; }));
})();
