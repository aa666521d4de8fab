"use strict";
// The Best metrics tab: which run is best, and by how much.
(function (neural) {
  const h = neural.h;
  const MOST = 10;
  let atStep = new Map(); // metric -> Map(id -> value), for the step asked for
  let asked = "";

  const knownNames = () => neural.runs.metricsOf(neural.runs.charted());

  /** Give the metrics shown: those chosen, else scores first, then losses. */
  function chosen() {
    const { best } = neural.state.get();
    const names = knownNames();
    if (best) return best.split(",").map(neural.url.decoded).filter((name) => names.includes(name)).slice(0, MOST);
    const runs = neural.runs.charted();
    const main = neural.runs.mainMetric(runs);
    const rank = (name) => (name === main ? 0 : /(^|[/_])(val|valid|test|eval)/i.test(name) ? 1 : /acc|f1|auc|score|loss/i.test(name) ? 2 : 3);
    const ranked = [...names].sort((a, b) => rank(a) - rank(b));
    const telling = ranked.filter((name) => rank(name) < 3);
    return (telling.length ? telling : ranked).slice(0, 6);
  }

  function valueOf(run, metric) {
    const { bestBy } = neural.state.get();
    const one = run.metrics[metric];
    if (bestBy === "last") return { run, value: one.last, step: one.lastStep };
    if (bestBy === "step") return { run, value: (atStep.get(metric) || new Map()).get(run.id) ?? NaN, step: Number(neural.state.get().bestStep) };
    return { run, ...neural.runs.best(run, metric) };
  }

  const rowsOf = (metric) => neural.runs.charted().filter((run) => run.metrics[metric]).map((run) => valueOf(run, metric));

  /** Read the value that each run had at a step: the last one not after it. */
  async function readStep(metrics) {
    const step = Number(neural.state.get().bestStep);
    const key = `${step} ${metrics} ${neural.runs.charted().map((run) => [run.id, ...metrics.map((name) => Math.min(run.metrics[name]?.lastStep ?? -1, step))])}`;
    if (key === asked || !Number.isFinite(step)) return;
    asked = key;
    const read = async (metric) => {
      const runs = neural.runs.charted().filter((run) => run.metrics[metric]);
      const answer = await neural.api.series(neural.series.query(metric, runs, { x: "step", window: [0, step], points: 2 }));
      return [metric, new Map([...answer.runs].map(([id, one]) => [id, one.x && one.x.length ? one.mean[one.mean.length - 1] : NaN]))];
    };
    try {
      const found = new Map(await Promise.all(metrics.map(read)));
      if (key !== asked) return; // something else was asked for meanwhile
      atStep = found;
      neural.tabs.touch("best");
    } catch (failed) {
      if (key === asked) asked = "";
      neural.fail(failed);
    }
  }

  function choose(name) {
    const now = chosen();
    const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
    if (next.length > MOST) neural.toast(`At most ${MOST} metrics at once.`);
    else neural.state.set({ best: next.map(encodeURIComponent).join(",") });
    return chosen().includes(name);
  }

  function picker() {
    const button = h("button", { type: "button", id: "best-metrics", class: "btn-quiet framed", "aria-haspopup": "menu" }, `Metrics: ${chosen().length} of ${knownNames().length}`, neural.icon("chevron-down"));
    button.addEventListener("click", () => neural.menu.show(button, knownNames().map((name) => ({ label: name, checked: chosen().includes(name), keep: true, work: () => choose(name) })), "Metrics"));
    return button;
  }

  function choices(name, label, options) {
    const value = neural.state.get()[name];
    const buttons = Object.entries(options).map(([key, seen]) => h("button", { type: "button", class: `segment ${key === value ? "on" : ""}`, "aria-pressed": String(key === value), text: seen, onclick: () => neural.state.set({ [name]: key }) }));
    return h("div", { class: "control" }, h("span", { class: "control-label", text: label }), h("div", { class: "segments", role: "group", "aria-label": label }, buttons));
  }

  function stepBox() {
    const box = h("input", { type: "number", min: "0", class: "form-control form-control-sm step-box", "aria-label": "Step", placeholder: "step", value: neural.state.get().bestStep });
    box.addEventListener("change", () => {
      box.defaultValue = box.value; // it is written to its end
      neural.state.set({ bestStep: box.value });
    });
    return box;
  }

  function baseline() {
    const { base } = neural.state.get();
    const select = h("select", { class: "form-select form-select-sm select", id: "best-base" }, h("option", { value: "", text: "None" }), neural.runs.charted().map((run) => h("option", { value: run.id, text: run.name, selected: run.id === base })));
    select.addEventListener("change", () => neural.state.set({ base: select.value }));
    return h("div", { class: "control" }, h("label", { class: "control-label", for: "best-base", text: "Baseline" }), select);
  }

  function controls() {
    const { bestBy, bestAs } = neural.state.get();
    return h(
      "div", { class: "toolbar", role: "toolbar", "aria-label": "Best metrics" },
      picker(),
      choices("bestBy", "Value", { best: "Best", last: "Last", step: "At step" }),
      bestBy === "step" ? stepBox() : null,
      bestAs === "multiples" ? baseline() : null,
      choices("bestAs", "Show", { multiples: "One chart each", grouped: "Grouped bars" }),
      bestAs === "multiples" ? choices("bestFrom", "Axis", { fitted: "Fitted", zero: "From zero" }) : null,
    );
  }

  function grouped(metrics) {
    const plot = h("div", { class: "grouped-plot", role: "img", "aria-label": `Bars of ${metrics.join(", ")} for each run` });
    const runs = neural.runs.charted();
    const theme = neural.colors.theme();
    const data = runs.map((run) => ({ type: "bar", name: neural.format.plotly(run.name), x: metrics.map(neural.format.plotly), y: metrics.map((name) => (run.metrics[name] ? valueOf(run, name).value : null)), marker: { color: neural.colors.of(run) }, hovertemplate: `%{y:.5g}<extra>${neural.format.plotly(run.name)}</extra>` }));
    const layout = { barmode: "group", bargap: 0.25, margin: { l: 56, r: 14, t: 12, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: "Inter, system-ui, sans-serif", size: 12, color: theme.text }, yaxis: { gridcolor: theme.grid, zerolinecolor: theme.line }, xaxis: { linecolor: theme.line }, showlegend: true, legend: { orientation: "h", y: -0.12, font: { size: 11 } }, height: 520 };
    requestAnimationFrame(() => plot.isConnected && window.Plotly.newPlot(plot, data, layout, { displayModeBar: false, responsive: true, showTips: false }));
    return h("div", { class: "best-card wide" }, plot);
  }

  function draw() {
    const host = neural.$("best");
    const metrics = chosen();
    const state = neural.state.get();
    if (!neural.runs.charted().length) return neural.replace(host, h("p", { class: "nothing", text: "Select runs in the list to compare them." }));
    if (state.bestBy === "step" && state.bestStep !== "") readStep(metrics);
    const content = state.bestAs === "grouped" ? grouped(metrics) : h("div", { class: "best-grid" }, metrics.map((name) => neural.bars.card(name, rowsOf(name), { from: state.bestFrom, base: state.base })));
    return neural.replace(host, controls(), metrics.length ? content : h("p", { class: "nothing", text: "Choose metrics above." }));
  }

  function start() {
    neural.tabs.register("best", draw);
    neural.state.on("best bestBy bestStep bestAs bestFrom base", () => neural.tabs.touch("best"));
  }

  neural.best = { start, chosen, rowsOf };
})((window.neural = window.neural || {}));
