"use strict";
// The Summary tab: one card for each selected run.
(function (neural) {
  const h = neural.h;
  const VALUES = 5;
  let shown = ""; // what the curves were read for
  let curves = null;

  const fact = (name, value, title) => h("div", { class: "fact" }, h("dt", { text: name }), h("dd", { text: value, title }));

  function pill(run) {
    const status = neural.runs.status(run);
    return h("span", { class: `pill ${status}`, text: status });
  }

  function facts(run) {
    const f = neural.format;
    return h(
      "dl", { class: "facts" },
      fact("Started", f.when(run.started), f.fullTime(run.started)),
      fact("Duration", f.duration(neural.runs.duration(run), true), f.duration(neural.runs.duration(run))),
      fact("Metrics", String(Object.keys(run.metrics).length)),
      fact("Files", String(run.artifacts ?? 0)),
    );
  }

  function values(run, names) {
    const own = names.filter((name) => run.metrics[name]).slice(0, VALUES);
    const rows = own.map((name) => {
      const best = neural.runs.best(run, name);
      const title = `last ${neural.format.number(run.metrics[name].last)}, best ${neural.format.number(best.value)} at step ${neural.format.step(best.step)}`;
      return h("tr", { title }, h("th", { scope: "row" }, neural.name(name)), h("td", { class: "num", text: neural.format.number(run.metrics[name].last, 3) }), h("td", { class: "num faint", text: neural.format.number(best.value, 3) }));
    });
    const head = h("tr", {}, h("th", { scope: "col" }, h("span", { class: "visually-hidden", text: "Metric" })), h("th", { scope: "col", class: "num", text: "latest" }), h("th", { scope: "col", class: "num", text: "best" }));
    return own.length ? h("table", { class: "values" }, h("thead", {}, head), h("tbody", {}, rows)) : h("p", { class: "faint", text: "No metrics yet." });
  }

  function tags(run) {
    const chips = Object.entries(run.tags).map(([name, text]) => h("span", { class: "chip", title: `${name}: ${text}`, text: text === "" || text === true || String(text) === "true" || text === name ? name : `${name}: ${text}` }));
    if (run.notes) chips.push(h("span", { class: "chip note-chip", title: "Has notes" }, neural.icon("note"), "notes"));
    return chips.length ? h("div", { class: "chips" }, chips) : null;
  }

  function cardOf(run, names) {
    const open = h("button", { type: "button", class: "run-link", title: `Open ${run.name}`, onclick: () => neural.state.set({ run: run.id }), text: run.name });
    const spark = h("div", { class: "spark" });
    const curve = curves && curves.get(run.id);
    if (curve && curve.x) spark.append(neural.sparkline.draw(curve, neural.colors.of(run)));
    const problem = run.error ? h("p", { class: "problem", text: run.error }) : null;
    const card = h("article", { class: "summary-card", "data-testid": "summary-card", "data-id": run.id }, h("header", {}, neural.colors.swatch(run), h("h3", {}, open), pill(run)), facts(run), problem, spark, values(run, names), tags(run));
    return card;
  }

  /** Put runs of about the same length together: those read at once share their buckets, and a short one would have few. */
  function alike(runs, metric) {
    const byLength = new Map();
    for (const run of runs) {
      const length = Math.floor(Math.log2(Math.max(1, run.metrics[metric].lastStep || 1)) / 2);
      byLength.set(length, [...(byLength.get(length) || []), run]);
    }
    return [...byLength.values()];
  }

  async function readCurves(runs, metric) {
    const wanted = `${metric} ${runs.map((run) => `${run.id}:${run.metrics[metric] ? run.metrics[metric].count : 0}`)}`;
    const able = runs.filter((run) => run.metrics[metric]);
    if (wanted === shown || !able.length) return;
    shown = wanted;
    try {
      const answers = await Promise.all(alike(able, metric).map((some) => neural.api.series(neural.series.query(metric, some, { x: "step", points: 80 }))));
      if (wanted !== shown) return; // others were asked for meanwhile
      curves = new Map(answers.flatMap((one) => [...one.runs]));
      neural.tabs.touch("summary");
    } catch (failed) {
      if (wanted === shown) shown = "";
      neural.fail(failed);
    }
  }

  function draw() {
    const host = neural.$("summary");
    const runs = neural.runs.charted();
    const main = neural.state.get().listMetric || neural.runs.mainMetric(runs);
    const names = [main, ...neural.runs.metricsOf(runs).filter((name) => name !== main).sort((a, b) => neural.sections.telling(a) - neural.sections.telling(b))];
    const note = h("p", { class: "lead", text: `Curve and first line: ${main}. Click a name for everything about the run.` });
    if (!runs.length) neural.replace(host, h("p", { class: "nothing", text: "Select runs in the list to see them here." }));
    else neural.replace(host, main ? note : null, h("div", { class: "summary-grid" }, runs.map((run) => cardOf(run, names))));
    if (main) readCurves(runs, main);
  }

  function start() {
    neural.tabs.register("summary", draw);
    neural.state.on("listMetric", () => neural.tabs.touch("summary"));
  }

  neural.summary = { start, pill };
})((window.neural = window.neural || {}));
