"use strict";
// Parallel coordinates: one line for each run over its parameters. Drag on an axis to filter.
(function (neural) {
  const { svg } = neural;
  const PAD = { top: 46, bottom: 34, side: 56 };
  const HEIGHT = 340;
  const settings = new Map(); // parameter -> {log, flip} as a person has chosen them
  const brushes = new Map(); // parameter -> [low, high] in shares of the axis

  /** Give how an axis places values: numbers by size, texts by their order; each value on its own place. */
  function axisOf(name, runs, read) {
    const values = runs.map(read).filter((value) => value !== undefined && value !== null);
    const finite = values.filter(Number.isFinite);
    const numeric = finite.length > 0 && values.every((value) => typeof value === "number");
    if (!numeric) {
      const places = [...new Set(values.map(neural.format.value))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      return { name, read, numeric, places, share: (value) => (places.length > 1 ? places.indexOf(neural.format.value(value)) / (places.length - 1) : 0.5) };
    }
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const log = low > 0 && (setting(name).log ?? high / low > 10);
    const place = log ? Math.log : (value) => value;
    const span = place(high) - place(low);
    return { name, read, numeric, low, high, log, canLog: low > 0, share: (value) => (span ? (place(value) - place(low)) / span : 0.5) };
  }

  const setting = (name) => settings.get(name) || {};
  const shareOf = (axis, run) => {
    const value = axis.read(run);
    if (value === undefined || value === null || (axis.numeric && !Number.isFinite(value))) return null;
    const share = axis.share(value);
    return setting(axis.name).flip ? 1 - share : share;
  };

  /** Say whether a run is inside all brushes. */
  const inside = (axes, run) => axes.every((axis) => {
    const brush = brushes.get(axis.name);
    const share = shareOf(axis, run);
    return !brush || (share !== null && share >= brush[0] - 1e-9 && share <= brush[1] + 1e-9);
  });

  function pathOf(axes, run, view) {
    let path = "";
    let pen = "M";
    axes.forEach((axis, index) => {
      const share = shareOf(axis, run);
      if (share === null) {
        pen = "M";
        return;
      }
      path += `${pen}${view.x(index).toFixed(1)},${view.y(share).toFixed(1)}`;
      pen = "L";
    });
    return path;
  }

  const short = (text, most = 16) => (text.length > most ? `${text.slice(0, Math.ceil(most * 0.6) - 1)}…${text.slice(-Math.floor(most * 0.4))}` : text);

  const last = (name) => name.replace(/^.*\./, "");

  function label(text, x, y, anchor, full) {
    return svg("text", { x, y, "text-anchor": anchor, class: "pc-value", text: short(text) }, svg("title", { text: full || text }));
  }

  function button(name, what, text, pressed, x, y, redraw) {
    const turn = () => {
      settings.set(name, { ...setting(name), [what]: !pressed });
      redraw();
    };
    const one = svg("text", { x, y, class: `pc-button ${pressed ? "on" : ""}`, "text-anchor": "middle", role: "button", tabindex: "0", "aria-pressed": String(pressed), "aria-label": `${what} ${name}`, text });
    one.addEventListener("click", turn);
    one.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), turn()));
    return one;
  }

  function axisElement(axis, index, view, redraw) {
    const x = view.x(index);
    const group = svg("g", { class: "pc-axis" });
    const flipped = Boolean(setting(axis.name).flip);
    const title = svg("text", { x, y: 16, "text-anchor": "middle", class: "pc-title", text: short(view.title(axis), Math.max(6, Math.floor((view.x(1) - view.x(0)) / 7.2))) }, svg("title", { text: axis.name }));
    group.append(title, svg("line", { x1: x, x2: x, y1: view.top, y2: view.bottom, class: "pc-line" }));
    if (axis.numeric) {
      const ends = [axis.low, axis.high].map((value) => neural.format.number(value, 3));
      group.append(label(flipped ? ends[0] : ends[1], x, view.top - 8, "middle"), label(flipped ? ends[1] : ends[0], x, view.bottom + 16, "middle"));
      if (axis.canLog) group.append(button(axis.name, "log", "log", axis.log, x - 14, HEIGHT - 4, redraw));
    } else {
      const step = Math.max(1, Math.ceil(axis.places.length / 16));
      axis.places.forEach((place, at) => at % step === 0 && group.append(label(place, x + 7, view.y(flipped ? 1 - axis.share(place) : axis.share(place)) + 4, "start", place)));
    }
    group.append(button(axis.name, "flip", "flip", flipped, axis.numeric && axis.canLog ? x + 14 : x, HEIGHT - 4, redraw));
    const brush = brushes.get(axis.name);
    if (brush) group.append(svg("rect", { class: "pc-brush", x: x - 7, width: 14, y: view.y(brush[1]), height: Math.max(2, view.y(brush[0]) - view.y(brush[1])) }));
    group.append(grip(axis, x, view, redraw));
    return group;
  }

  /** Filter by keys: each press takes a twentieth of the axis away. */
  function onKey(event, axis, redraw) {
    const [low, high] = brushes.get(axis.name) || [0, 1];
    const next = { ArrowUp: [Math.min(low + 0.05, high), high], ArrowDown: [low, Math.max(high - 0.05, low)], Escape: [0, 1] }[event.key];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    if (next[0] === 0 && next[1] === 1) brushes.delete(axis.name);
    else brushes.set(axis.name, next);
    redraw();
    const again = [...document.querySelectorAll(".pc-grip")].find((one) => one.dataset.axis === axis.name);
    if (again) again.focus();
  }

  /** Make the place on an axis that takes the drag. */
  function grip(axis, x, view, redraw) {
    const words = `Filter by ${axis.name}: arrow up leaves low values out, arrow down high ones, Escape all in`;
    const area = svg("rect", { class: "pc-grip", x: x - 12, width: 24, y: view.top - 4, height: view.bottom - view.top + 8, role: "button", tabindex: "0", "aria-label": words, "data-axis": axis.name });
    area.addEventListener("keydown", (event) => onKey(event, axis, redraw));
    area.addEventListener("pointerdown", (event) => {
      const box = area.ownerSVGElement.getBoundingClientRect();
      const share = (clientY) => neural.clamp((view.bottom - (clientY - box.top)) / (view.bottom - view.top), 0, 1);
      const start = share(event.clientY);
      const drag = (move) => {
        const now = share(move.clientY);
        brushes.set(axis.name, [Math.min(start, now), Math.max(start, now)]);
        redraw();
      };
      const end = (up) => {
        window.removeEventListener("pointermove", drag);
        if (Math.abs(share(up.clientY) - start) < 0.01) brushes.delete(axis.name);
        redraw();
      };
      window.addEventListener("pointermove", drag);
      window.addEventListener("pointerup", end, { once: true });
      event.preventDefault();
    });
    return area;
  }

  /** Draw all runs in grey and the selected in colour; gives the runs inside the brushes. */
  function draw(host, runs, selected, columns, redraw) {
    const width = Math.max(host.clientWidth, 320);
    const axes = columns.map(({ name, read }) => axisOf(name, runs, read));
    const view = { top: PAD.top, bottom: HEIGHT - PAD.bottom, x: (index) => PAD.side + (axes.length > 1 ? (index * (width - 2 * PAD.side)) / (axes.length - 1) : 0) };
    const lasts = axes.map(({ name }) => last(name));
    view.title = ({ name }) => (lasts.indexOf(last(name)) === lasts.lastIndexOf(last(name)) ? last(name) : name);
    view.y = (share) => view.bottom - share * (view.bottom - view.top);
    const kept = runs.filter((run) => inside(axes, run));
    const back = svg("path", { class: "pc-back", d: kept.filter((run) => !selected.has(run.id)).map((run) => pathOf(axes, run, view)).join("") });
    const keptIds = new Set(kept.map((run) => run.id));
    const lines = runs.filter((run) => selected.has(run.id)).map((run) => {
      const line = svg("path", { class: `pc-run ${keptIds.has(run.id) ? "" : "out"}`, d: pathOf(axes, run, view), "data-id": run.id }, svg("title", { text: run.name }));
      line.style.setProperty("--c", neural.colors.of(run));
      line.addEventListener("pointerenter", () => neural.state.set({ hover: run.id }));
      line.addEventListener("pointerleave", () => neural.state.set({ hover: null }));
      return line;
    });
    const marks = axes.map((axis, index) => axisElement(axis, index, view, redraw));
    neural.replace(host, svg("svg", { width, height: HEIGHT, class: "pc", role: "group", "aria-label": `Parallel coordinates of ${runs.length} runs` }, back, ...lines, ...marks));
    return kept;
  }

  neural.parallel = { draw, axisOf, brushes, clear: () => brushes.clear() };
})((window.neural = window.neural || {}));
