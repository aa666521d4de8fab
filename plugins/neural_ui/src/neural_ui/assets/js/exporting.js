"use strict";
// Takes charts and the comparison out of the page: PNG, SVG, CSV and one HTML file.
(function (neural) {
  const SCALE = 2;

  const fileName = (text, suffix) => `${text.replace(/[^\w.-]+/g, "_").slice(0, 80) || "chart"}.${suffix}`;

  function save(address, name) {
    const link = neural.h("a", { href: address, download: name, class: "visually-hidden", text: name });
    document.body.append(link);
    link.click();
    link.remove();
  }

  function saveText(text, name, type) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    save(address, name);
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  /** Give the chart as a figure that stands alone: with title, legend and background. */
  function figure(card) {
    const box = neural.chart.boxOf(card);
    const layout = neural.chart.layout(card, box);
    const theme = neural.colors.theme();
    const names = new Map(card.built.lines.map((line) => [line.uid, line]));
    const data = card.built.traces.map((trace) => {
      const line = names.get(trace.uid);
      return { ...trace, showlegend: Boolean(line), name: line ? neural.format.plotly(line.name) : "" };
    });
    Object.assign(layout, {
      paper_bgcolor: theme.surface, plot_bgcolor: theme.surface, showlegend: true,
      title: { text: neural.format.plotly(card.metric), x: 0.02, xanchor: "left", font: { size: 15 } },
      legend: { font: { size: 11 }, itemsizing: "constant" },
      margin: { l: 64, r: 20, t: 44, b: 44 }, width: 1000, height: 520,
    });
    return { data, layout, config: { staticPlot: true } };
  }

  async function image(card, format) {
    if (!card.built) return;
    const { layout } = figure(card);
    const options = { format, width: layout.width, height: layout.height, scale: format === "png" ? SCALE : 1 };
    try {
      save(await window.Plotly.toImage(figure(card), options), fileName(card.metric, format));
    } catch (failed) {
      neural.fail(failed instanceof Error ? failed : new Error("The picture could not be made."));
    }
  }

  /** Write a cell so that no spreadsheet takes it for a formula. */
  function cell(value) {
    const text = typeof value === "number" ? String(value) : String(value ?? "");
    const safe = typeof value !== "number" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  const table = (rows) => rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

  /** Give what the chart draws as CSV: buckets or points, with the smoothed value. */
  function viewCsv(card) {
    const rows = [["run", "id", neural.state.get().x, "value", "mean", "min", "max"]];
    for (const line of card.built.lines) {
      for (let i = 0; i < line.x.length; i += 1) {
        if (line.x[i] < card.range[0] || line.x[i] > card.range[1]) continue;
        const { series } = line;
        rows.push([line.name, line.group ? "" : line.id, line.x[i], line.y[i], series.mean[i], (series.min || series.mean)[i], (series.max || series.mean)[i]]);
      }
    }
    return table(rows);
  }

  const ids = () => neural.runs.charted().map((run) => run.id).join(",");

  const fullCsv = (metric) => save(neural.api.address("csv", metric ? { runs: ids(), metric } : { runs: ids() }), metric ? fileName(metric, "csv") : "metrics.csv");

  function cardMenu(card, anchor) {
    const drawn = Boolean(card.built);
    neural.menu.show(anchor, [
      { heading: "Export" },
      drawn && { label: "PNG picture", work: () => image(card, "png") },
      drawn && { label: "SVG picture", work: () => image(card, "svg") },
      drawn && { label: "CSV of this view", work: () => saveText(viewCsv(card), fileName(`${card.metric}_view`, "csv"), "text/csv") },
      { label: "CSV of all points", work: () => fullCsv(card.metric) },
      { line: true },
      { label: card.table ? "Show as chart" : "Show as table", work: () => neural.cardtable.toggle(card) },
      drawn && { label: "Reset zoom", note: "double click", work: () => neural.zoom.reset(card) },
      { label: "Ignore outliers", title: "The y axes of all charts leave the outermost values out; marks show where they are", checked: neural.state.get().clip, work: () => neural.state.set({ clip: !neural.state.get().clip }) },
      { label: "Copy name", work: () => neural.copy(card.metric, "Name") },
      { label: "Use as x axis", work: () => neural.state.set({ x: `metric:${card.metric}` }) },
    ]);
  }

  function shareMenu(anchor) {
    neural.url.flush();
    neural.menu.show(anchor, [
      { heading: "This comparison" },
      { label: "HTML file", note: "opens without a server", work: () => save(neural.api.address("export.html", { runs: ids(), state: neural.url.toQuery(neural.state.get()) }), "comparison.html") },
      { label: "CSV of all metrics", note: "every point", work: () => fullCsv("") },
      { label: "CSV of the runs", note: "parameters, best values", work: () => saveText(runsCsv(), "runs.csv", "text/csv") },
    ]);
  }

  function runsCsv() {
    const runs = neural.runs.selected();
    const params = neural.runs.paramsOf(runs);
    const metrics = neural.runs.metricsOf(runs);
    const head = ["run", "id", "status", "started", ...params, ...metrics.flatMap((name) => [`${name} (best)`, `${name} (last)`])];
    const rows = runs.map((run) => [
      run.name, run.id, neural.runs.status(run), run.started ? new Date(run.started * 1000).toISOString() : "",
      ...params.map((name) => (name in run.params ? run.params[name] : "")),
      ...metrics.flatMap((name) => (run.metrics[name] ? [neural.runs.best(run, name).value, run.metrics[name].last] : ["", ""])),
    ]);
    return table([head, ...rows]);
  }

  neural.exporting = { cardMenu, shareMenu, viewCsv, runsCsv, cell, figure, image, save };
})((window.neural = window.neural || {}));
