"use strict";
// Between the Dash controls of the toolbar and the state of the page.
(function (neural) {
  // As `CONTROLS` of the layout; the values come in this order.
  const CONTROLS = ["smoothing", "x-axis", "y-axis", "band", "group", "agg", "columns", "chart-search", "run-search", "link-zoom"];
  const NAMES = ["smooth", "x", "y", "band", "group", "agg", "columns", "charts", "q", "link"];
  const TESTIDS = { smoothing: "smoothing", "x-axis": "x-axis", group: "group", "chart-search": "chart-search", "run-search": "run-search", "link-zoom": "link-zoom" };
  const TITLES = {
    smoothing: "Exponential smoothing, as a part of the x axis; it does not depend on the zoom",
    "x-axis": "What the x axis counts",
    group: "One line with a band for each value of a parameter or tag",
    columns: "Charts in a row",
    "link-zoom": "A zoom in one chart zooms all of them",
    "chart-search": "Show only charts with these words in their names",
    "run-search": "Words, lr<1e-3, optimizer=adamw, status:failed, tag:paper, /regex/, -without",
  };
  const LOGX = "logx";
  const NO_GROUP = "none"; // a select shows an empty value as nothing
  const shown = new Map(); // control -> the value that it has
  let ready = false;

  function clean(name, value) {
    if (name === "smooth") return neural.clamp(Number(value) || 0, 0, 100);
    if (name === "link") return Boolean(value);
    if (name === "group") return value === NO_GROUP ? "" : value || "";
    return value ?? "";
  }

  /** Take the values of all controls over; Dash calls this when one of them changes. */
  function controls(...values) {
    if (!ready) return window.dash_clientside.no_update;
    CONTROLS.forEach((id, index) => shown.set(id, values[index]));
    const patch = Object.fromEntries(NAMES.map((name, index) => [name, clean(name, values[index])]));
    if (patch.x === LOGX) {
      patch.x = neural.state.get().x;
      patch.logx = !neural.state.get().logx;
    }
    neural.state.set(patch);
    if (values[1] === LOGX) show(); // the entry is a switch, not a value
    return window.dash_clientside.no_update;
  }

  function xChoices() {
    const { x, logx } = neural.state.get();
    const metrics = neural.runs.metricsOf(neural.runs.charted()).map((name) => ({ label: name, value: `metric:${name}` }));
    if (x.startsWith("metric:") && !metrics.some((one) => one.value === x)) metrics.push({ label: x.slice(7), value: x });
    return [
      { label: "Step", value: "step" },
      { label: "Wall time", value: "wall" },
      { label: "Relative", value: "relative" },
      ...metrics.slice(0, 200),
      { label: logx ? "Linear scale" : "Log scale", value: LOGX },
    ];
  }

  function groupChoices() {
    const { group } = neural.state.get();
    const found = neural.grouping.candidates(neural.runs.charted());
    if (group && !found.some((one) => one.value === group)) found.unshift({ label: group.slice(group.indexOf(":") + 1), value: group });
    return [{ label: "None", value: NO_GROUP }, ...found];
  }

  /** Show the state in the controls; Dash draws all that listens to a control anew, so only in those that differ. */
  function show() {
    const state = neural.state.get();
    CONTROLS.forEach((id, index) => {
      const value = state[NAMES[index]] || (id === "group" ? NO_GROUP : state[NAMES[index]]);
      if (shown.has(id) && shown.get(id) === value) return;
      shown.set(id, value);
      neural.setProps(id, { value });
    });
    words();
  }

  function words() {
    const { smooth, group } = neural.state.get();
    neural.$("smoothing-value").textContent = `${smooth} %`;
    document.querySelector(".toolbar").classList.toggle("grouped", Boolean(group));
  }

  let offered = "";

  /** Offer what the selected runs have. */
  const choices = neural.debounce(60, () => {
    const now = [xChoices(), groupChoices()];
    if (JSON.stringify(now) === offered) return;
    offered = JSON.stringify(now);
    neural.setProps("x-axis", { options: now[0] });
    neural.setProps("group", { options: now[1] });
  });

  function start() {
    // dash-bootstrap-components passes neither data attributes nor titles on, so they are set here.
    for (const [id, testid] of Object.entries(TESTIDS)) neural.$(id).dataset.testid = testid;
    for (const [id, title] of Object.entries(TITLES)) neural.$(id).title = title;
    show();
    choices();
    neural.state.on(NAMES.join(" "), show);
    neural.state.on("selected x logx", choices);
    neural.runs.on(choices);
    setTimeout(() => {
      ready = true;
    }, 0);
    // The slider answers while it is dragged; Dash tells the value only when it is let go.
    neural.$("smoothing").addEventListener("input", (event) => neural.state.set({ smooth: Number(event.target.value) }));
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.neural = { controls };
  neural.toolbar = { start, show };
})((window.neural = window.neural || {}));
