"use strict";
// What the page shows, as one object; whoever draws listens for the names that it draws from.
(function (neural) {
  const state = {
    tab: "metrics",
    selected: new Set(), // ids, in the order of selection
    touched: false, // the person has chosen runs
    q: "",
    sort: "newest", // newest | name | metric
    ascending: false,
    listMetric: "",
    smooth: 0, // 0 to 100
    x: "step", // step | wall | relative | metric:NAME
    logx: false,
    y: "linear", // linear | log
    band: "hover", // off | hover | all
    group: "", // "" | param:NAME | tag:NAME
    agg: "std", // std | minmax
    zoom: null, // [from, to] in units of x
    link: true,
    columns: "auto",
    charts: "",
    clip: false, // the y axis leaves outliers out
    boxes: {}, // metric -> [from, to] of a y axis that a person has boxed, in units of the axis
    windows: {}, // metric -> [from, to] of x, while charts are not linked
    logs: [], // metrics whose y axis is the other than the toolbar's
    pinned: [],
    base: "", // id of the baseline
    run: "", // id in the drawer
    table: false, // the table of runs is open
    cols: "", // its columns: those shown, or after a minus those left out; empty: all
    order: "", // its order: keys of columns, those with a minus descending
    rows: "", // param:NAME or tag:NAME whose groups have rows in it
    differ: false, // only columns in which runs differ
    hover: null, // id under the pointer
    panel: true,
    best: "", // metrics of the Best tab, comma separated; empty: chosen by rule
    bestBy: "best", // best | last | step
    bestStep: "",
    bestAs: "multiples", // multiples | grouped
    bestFrom: "fitted", // fitted | zero
  };
  const listeners = [];

  const same = (a, b) => a === b || (Array.isArray(a) && Array.isArray(b) && JSON.stringify(a) === JSON.stringify(b));

  /** Call `work(state)` whenever one of these names changes. */
  function on(names, work) {
    listeners.push([new Set(names.split(" ")), work]);
  }

  /** Take new values over; each listener is called once. */
  function set(patch) {
    const changed = Object.keys(patch).filter((name) => !same(state[name], patch[name]));
    if (!changed.length) return;
    changed.forEach((name) => {
      state[name] = patch[name];
    });
    for (const [names, work] of listeners) if (changed.some((name) => names.has(name))) work(state);
  }

  /** Change the selection; `touched` says that a person did it. */
  function select(ids) {
    set({ selected: new Set(ids), touched: true });
  }

  function toggle(id) {
    const ids = new Set(state.selected);
    if (!ids.delete(id)) ids.add(id);
    select(ids);
  }

  const defaults = Object.freeze({ ...state });

  neural.state = { get: () => state, on, set, select, toggle, defaults };
})((window.neural = window.neural || {}));
