"use strict";
// The view in the address, short and readable, and the habits of this person in local storage.
(function (neural) {
  const TEXT = ["tab", "q", "sort", "x", "y", "band", "group", "agg", "columns", "charts", "base", "run", "best", "bestBy", "bestStep", "bestAs", "bestFrom", "cols", "order", "rows"];
  const FLAGS = ["logx", "clip", "table", "differ"];
  const RANGES = ["boxes", "windows"];
  const PUSHED = ["tab", "run"]; // the back button returns over these
  let last = "";

  const rangeText = (range) => range.map((one) => Number(one.toPrecision(12))).join("~");

  function rangeOf(text) {
    const range = text.split("~").map(Number);
    return range.length === 2 && range.every(Number.isFinite) && range[0] < range[1] ? range : null;
  }

  /** Write the ranges of single charts: `loss:0~1,val%2Floss:0~2`. */
  const rangesText = (ranges) => Object.entries(ranges).map(([metric, range]) => `${encodeURIComponent(metric)}:${rangeText(range)}`).join(",");

  function rangesOf(text) {
    const found = Object.create(null);
    for (const one of text.split(",")) {
      const [metric, range] = [one.slice(0, Math.max(0, one.indexOf(":"))), rangeOf(one.slice(one.indexOf(":") + 1))];
      if (metric && range) found[decoded(metric)] = range;
    }
    return found;
  }

  /** Read a part that was encoded once more; what nobody can have written so is taken as it stands. */
  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch (broken) {
      return text;
    }
  }

  function toQuery(state) {
    const { defaults } = neural.state;
    const query = new URLSearchParams();
    for (const name of TEXT) if (state[name] !== defaults[name]) query.set(name, state[name]);
    // What is shown while runs are still being read is nobody's choice, and not what is shown in the end.
    if (state.touched || (state.selected.size && !neural.runs.info().pending)) query.set("runs", [...state.selected].join(","));
    if (state.smooth) query.set("smooth", String(state.smooth));
    for (const name of FLAGS) if (state[name]) query.set(name, "1");
    for (const name of RANGES) if (Object.keys(state[name]).length) query.set(name, rangesText(state[name]));
    if (!state.link) query.set("link", "0");
    if (state.ascending) query.set("up", "1");
    if (state.listMetric && state.sort === "metric") query.set("metric", state.listMetric);
    if (state.zoom) query.set("zoom", rangeText(state.zoom));
    if (state.logs.length) query.set("logs", JSON.stringify(state.logs));
    return query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%7E", "~").replaceAll("%2F", "/");
  }

  function fromQuery(text) {
    const query = new URLSearchParams(text);
    const patch = {};
    for (const name of TEXT) if (query.has(name)) patch[name] = query.get(name);
    if (query.has("runs")) patch.selected = new Set(query.get("runs").split(",").filter(Boolean).slice(0, 500));
    if (query.has("smooth")) patch.smooth = neural.clamp(Number(query.get("smooth")) || 0, 0, 100);
    if (query.has("metric")) patch.listMetric = query.get("metric");
    for (const name of FLAGS) patch[name] = query.get(name) === "1";
    for (const name of RANGES) patch[name] = rangesOf(query.get(name) || "");
    patch.link = query.get("link") !== "0";
    patch.ascending = query.get("up") === "1";
    patch.zoom = rangeOf(query.get("zoom") || "");
    try {
      const logs = JSON.parse(query.get("logs") || "[]");
      patch.logs = Array.isArray(logs) ? logs.map(String) : [];
    } catch (broken) {
      patch.logs = [];
    }
    return patch;
  }

  /** Read a value kept in this browser; what cannot be read is missing. */
  function recall(name, otherwise) {
    try {
      const text = window.localStorage.getItem(`neural.${name}`);
      return text === null ? otherwise : JSON.parse(text);
    } catch (denied) {
      return otherwise;
    }
  }

  function keep(name, value) {
    try {
      window.localStorage.setItem(`neural.${name}`, JSON.stringify(value));
    } catch (full) {
      // a private window keeps nothing, and works
    }
  }

  function write(state) {
    const text = toQuery(state);
    if (text === last) return;
    const before = new URLSearchParams(last);
    const after = new URLSearchParams(text);
    const push = last && PUSHED.some((name) => before.get(name) !== after.get(name));
    last = text;
    history[push ? "pushState" : "replaceState"](null, "", text ? `?${text}` : location.pathname);
  }

  /** Follow the state from now on; the back button brings tab and drawer back. */
  function follow() {
    const soon = neural.debounce(80, () => write(neural.state.get()));
    const names = Object.keys(neural.state.defaults).filter((name) => name !== "hover");
    neural.state.on(names.join(" "), soon);
    write(neural.state.get());
    window.addEventListener("popstate", () => {
      last = location.search.slice(1);
      const { tab = "metrics", run = "" } = fromQuery(location.search);
      neural.state.set({ tab, run });
    });
  }

  neural.url = { toQuery, fromQuery, decoded, recall, keep, follow, flush: () => write(neural.state.get()) };
})((window.neural = window.neural || {}));
