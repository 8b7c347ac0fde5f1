// Values under the pointer and the arrow keys, the row behind a number, folds that links open.
// The page is whole without it: switches are style sheet rules, folds the browser's own.
"use strict";
(() => {
  const said = document.getElementById("said");
  const shown = (key) => document.getElementById("show-" + key)?.checked !== false;

  const say = (words, x, y) => {
    said.textContent = words;
    said.hidden = false;
    const box = said.getBoundingClientRect();
    said.style.left = Math.max(4, Math.min(x + 12, innerWidth - box.width - 4)) + "px";
    said.style.top = (y + 14 + box.height > innerHeight ? y - box.height - 10 : y + 14) + "px";
  };

  // --- Drawings: every trace is [key, label, [[x, y, words], ...]] in units of the drawing ---
  const told = new WeakMap();
  const tracesOf = (plot) => {
    if (!told.has(plot)) told.set(plot, JSON.parse(plot.dataset.told));
    return told.get(plot).filter(([key, , points]) => shown(key) && points.length);
  };
  const point = (plot, trace, index) => {
    const [, label, points] = trace;
    const [x, y, words] = points[index];
    const svg = plot.querySelector("svg");
    let ring = svg.querySelector(".here");
    if (!ring) {
      ring = document.createElementNS(svg.namespaceURI, "circle");
      ring.setAttribute("class", "here");
      ring.setAttribute("r", "5");
      svg.append(ring);
    }
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    say(label + ": " + words, at.x, at.y);
  };
  const leave = (plot) => {
    plot.querySelector(".here")?.remove();
    said.hidden = true;
  };
  const nearest = (plot, event) => {
    const matrix = plot.querySelector("svg").getScreenCTM().inverse();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    let best = [Infinity];
    for (const trace of tracesOf(plot))
      trace[2].forEach(([x, y], index) => {
        const far = Math.hypot(x - at.x, y - at.y);
        if (far < best[0]) best = [far, trace, index];
      });
    return best[0] < 40 ? best : null;
  };
  for (const plot of document.querySelectorAll("[data-told]")) {
    plot.tabIndex = 0;
    let place = [0, 0];
    plot.addEventListener("pointermove", (event) => {
      const found = nearest(plot, event);
      if (found) point(plot, found[1], found[2]);
      else leave(plot);
    });
    plot.addEventListener("pointerleave", () => leave(plot));
    plot.addEventListener("blur", () => leave(plot));
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
      const traces = tracesOf(plot);
      if (event.key === "Escape") return leave(plot);
      if (!step[event.key] || !traces.length) return;
      event.preventDefault();
      const [other, along] = step[event.key];
      const line = (place[0] + other + traces.length) % traces.length;
      const count = traces[line][2].length;
      place = [line, Math.max(0, Math.min(count - 1, place[1] + along))];
      point(plot, traces[line], place[1]);
    });
  }

  // --- Numbers: the file and the row behind each ---
  const row = (cell) => {
    const [table, number] = cell.dataset.row.split(" ");
    return `compare/${table}.parquet, row ${number}`;
  };
  document.addEventListener("pointerover", (event) => {
    const cell = event.target.closest?.("[data-row]");
    if (cell && !cell.title) cell.title = row(cell);
  });
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-row]");
    if (cell) say(row(cell), event.clientX, event.clientY);
    else if (!event.target.closest("[data-told]")) said.hidden = true;
  });

  // --- Folds ---
  const open = () => {
    let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const target = at;
    for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const inner = target?.querySelector(":scope > details.chapter");
    if (inner) inner.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();

  const all = document.createElement("button");
  const folds = [...document.querySelectorAll("details.question, details.chapter")];
  const closed = () => folds.some((fold) => !fold.open);
  const name = () => (all.textContent = closed() ? "Open all" : "Close all");
  all.type = "button";
  all.addEventListener("click", () => {
    const to = closed();
    for (const fold of folds) fold.open = to;
    name();
  });
  for (const fold of folds) fold.addEventListener("toggle", name);
  name();
  document.querySelector(".switches")?.append(all);
})();
