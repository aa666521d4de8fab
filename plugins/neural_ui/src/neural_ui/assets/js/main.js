"use strict";
// Starts the page: data first, then Dash's components, then everything that draws.
(function (neural) {
  const h = neural.h;
  const FIRST = 4; // charts whose curves are asked for before the page is there
  const QUICK_START = 'from neural.tracking import ExperimentTracker\ntracker = ExperimentTracker("my_experiment")\ntracker.log_metrics({"loss": 0.5}, step=1)';

  let started = false;
  let drawn = false;

  let plotly = null;

  /** Run Plotly, once. It is on its way from the start, but takes a while to run: the questions for data go first. */
  function library() {
    plotly = plotly || neural.loadScript(neural.$("plotly").getAttribute("href"));
    return plotly;
  }

  const loaded = () => new Promise((done) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", done, { once: true }) : done()));

  /** Wait until Dash has put its components into the page. */
  const mounted = () =>
    new Promise((done) => {
      const there = () => neural.$("toasts") && neural.$("smoothing") && neural.$("run-search") && neural.$("link-zoom");
      if (there()) return done();
      const watch = new MutationObserver(() => {
        if (!there()) return;
        watch.disconnect();
        done();
      });
      watch.observe(document.body, { childList: true, subtree: true });
      return undefined;
    });

  function prefetch() {
    if (neural.state.get().tab !== "metrics") return;
    neural.sections.names().slice(0, FIRST).forEach((metric) => neural.chart.prefetch(metric));
  }

  async function data() {
    neural.state.set({ ...neural.url.fromQuery(location.search), pinned: neural.url.recall("pinned", []) });
    neural.runs.load(await neural.api.runs(neural.firstRuns));
    if (!neural.selection.enough()) neural.runs.load(await neural.api.runs());
    neural.selection.initial();
    prefetch();
  }

  /** Show the empty page while there is nothing to compare. */
  function emptiness() {
    const none = !neural.runs.all().length;
    document.body.classList.toggle("is-empty", none);
    const host = neural.$("empty");
    if (host.hidden === !none) return;
    host.hidden = !none;
    if (!none) return;
    neural.replace(
      host,
      h("div", { class: "empty-mark", "aria-hidden": "true" }),
      h("h2", { text: "No experiments yet" }),
      h("p", { text: `Looked in ${neural.runs.info().base_dir}. This page shows the first one by itself as soon as it starts.` }),
      h("pre", { class: "code" }, h("code", { text: QUICK_START })),
      h("div", { class: "empty-actions" }, h("button", { type: "button", class: "btn-quiet framed", text: "Copy", onclick: () => neural.copy(QUICK_START, "Code") }), h("button", { type: "button", class: "btn-quiet framed primary", text: "Refresh", "data-action": "refresh" })),
    );
  }

  function failed(error) {
    document.body.dataset.state = "error";
    const host = neural.$("empty");
    document.body.classList.add("is-empty");
    host.hidden = false;
    neural.replace(host, h("h2", { text: "The experiments could not be read" }), h("p", { role: "alert", text: error.message }), h("button", { type: "button", class: "btn-quiet framed primary", text: "Try again", onclick: () => location.reload() }));
  }

  /** Called when the charts in sight are painted, and when the page around them is there. */
  async function ready() {
    drawn = true;
    if (!started || document.body.dataset.state !== "loading") return;
    document.body.dataset.state = "filling";
    await neural.live.rest();
    document.body.dataset.state = "ready";
    neural.live.start();
  }

  function place() {
    const { base_dir: base } = neural.runs.info();
    const shown = neural.$("base-dir");
    shown.textContent = String(base).split(/[\\/]/).filter(Boolean).pop() || base;
    shown.title = base;
    document.title = `${shown.textContent} · neural`;
    neural.state.on("panel", ({ panel }) => document.body.classList.toggle("panel-folded", !panel));
    neural.state.on("pinned", ({ pinned }) => neural.url.keep("pinned", pinned));
    const width = neural.url.recall("panelWidth", 0);
    if (width) document.documentElement.style.setProperty("--panel", `${width}px`);
    neural.$("panel-grip").addEventListener("pointerdown", grip);
  }

  function grip(event) {
    event.preventDefault();
    const drag = (move) => document.documentElement.style.setProperty("--panel", `${neural.clamp(move.clientX, 220, 560)}px`);
    const end = (up) => {
      window.removeEventListener("pointermove", drag);
      neural.url.keep("panelWidth", neural.clamp(up.clientX, 220, 560));
    };
    window.addEventListener("pointermove", drag);
    window.addEventListener("pointerup", end, { once: true });
  }

  /** Draw the charts before Dash has started, at the place that they will have. */
  function early() {
    if (neural.$("charts") || !neural.sections.names().length || neural.state.get().tab !== "metrics") return neural.beginDash();
    const width = neural.url.recall("panelWidth", 0);
    if (width) document.documentElement.style.setProperty("--panel", `${width}px`);
    document.body.append(h("div", { id: "early", "aria-hidden": "true" }, h("div", { id: "early-bar" }), h("div", { id: "early-panel" }), h("div", { id: "early-charts", class: "charts" })));
    neural.cards.start();
    neural.cards.begin(FIRST);
    return undefined;
  }

  async function start() {
    const reading = data().then(library).then(early);
    reading.catch(neural.beginDash); // told below, when there is a place to tell it
    await loaded();
    await mounted();
    for (const one of ["actions", "theme", "keyboard"]) neural[one].start();
    try {
      await reading;
      await library();
    } catch (error) {
      return failed(error);
    }
    place();
    emptiness();
    neural.url.follow();
    if (neural.$("early")) neural.cards.settle();
    else neural.cards.start();
    if (neural.$("early")) neural.$("early").remove();
    for (const one of ["tabs", "toolbar", "legend", "selection", "runlist", "hyperparameters", "best", "summary", "table", "drawer", "panels"]) neural[one].start();
    started = true;
    if (drawn || !neural.runs.all().length || neural.state.get().tab !== "metrics") neural.painted().then(ready);
    return undefined;
  }

  neural.main = { ready, emptiness, start };
  start();
})((window.neural = window.neural || {}));
