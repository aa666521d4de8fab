"use strict";
// One parameter against one metric: all runs in grey, the selected in colour.
(function (neural) {
  const h = neural.h;

  const numeric = (value) => (typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : NaN);

  function pointsOf(runs, param, metric) {
    const found = [];
    for (const run of runs) {
      const value = run.params[param];
      const y = neural.runs.best(run, metric).value;
      if (value !== undefined && value !== null && Number.isFinite(y)) found.push({ run, value, y });
    }
    return found;
  }

  const wide = (values) => values.length > 1 && values.every((one) => one > 0) && Math.max(...values) / Math.min(...values) > 10;

  /** Give the decades between two ticks, so that about six fit. */
  const decades = (values) => Math.max(1, Math.ceil(Math.log10(Math.max(...values) / Math.min(...values)) / 6));

  function layout(host, param, metric, log, texts, dtick) {
    const theme = neural.colors.theme();
    const axis = { gridcolor: theme.grid, linecolor: theme.line, zeroline: false };
    return {
      width: host.clientWidth, height: 340, margin: { l: 58, r: 16, t: 10, b: 44 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "Inter, system-ui, sans-serif", size: 11, color: theme.text }, showlegend: false, hovermode: false, dragmode: false,
      xaxis: { ...axis, type: texts ? "category" : log ? "log" : "linear", title: { text: neural.format.plotly(param), standoff: 6 }, showgrid: false, ...(log ? { exponentformat: "power", dtick } : {}) },
      yaxis: { ...axis, title: { text: neural.format.plotly(metric), standoff: 6 }, nticks: 6 },
    };
  }

  /** Show the nearest run within a few pixels. */
  function hover(plot, points, texts, event) {
    const tip = neural.$("tooltip");
    const { xaxis, yaxis } = plot._fullLayout;
    const box = plot.getBoundingClientRect();
    let nearest = null;
    for (const one of points) {
      const x = xaxis.d2p(texts ? neural.format.plotly(neural.format.value(one.value)) : numeric(one.value)) + xaxis._offset;
      const away = Math.hypot(x - (event.clientX - box.left), yaxis.d2p(one.y) + yaxis._offset - (event.clientY - box.top));
      if (away < 14 && (!nearest || away < nearest.away)) nearest = { ...one, away };
    }
    tip.hidden = !nearest;
    plot.near = nearest;
    plot.style.cursor = nearest ? "pointer" : "";
    neural.state.set({ hover: nearest && neural.state.get().selected.has(nearest.run.id) ? nearest.run.id : null });
    if (!nearest) return;
    const { param, metric } = plot.dataset;
    const row = (name, value) => h("div", { class: "tip-row" }, neural.name(name), h("span", { class: "num", text: value }));
    neural.replace(tip, h("div", { class: "tip-head" }, h("span", { class: "tip-metric", text: nearest.run.name })), row(param, neural.format.value(nearest.value)), row(metric, neural.format.number(nearest.y, 5)));
    const width = tip.offsetWidth;
    tip.style.left = `${event.clientX + 16 + width > window.innerWidth - 8 ? event.clientX - 16 - width : event.clientX + 16}px`;
    tip.style.top = `${Math.min(event.clientY + 16, window.innerHeight - tip.offsetHeight - 8)}px`;
  }

  /** Draw into a place; a click on a point opens the run. */
  function draw(host, runs, selected, param, metric) {
    const points = pointsOf(runs, param, metric);
    const texts = points.some((one) => Number.isNaN(numeric(one.value)));
    const log = !texts && wide(points.map((one) => numeric(one.value)));
    const trace = (some, marker) => ({ type: "scatter", mode: "markers", hoverinfo: "skip", x: some.map((one) => (texts ? neural.format.plotly(neural.format.value(one.value)) : numeric(one.value))), y: some.map((one) => one.y), marker });
    const chosen = points.filter((one) => selected.has(one.run.id));
    const others = points.filter((one) => !selected.has(one.run.id));
    const plot = h("div", { class: "scatter-plot", role: "img", "data-param": param, "data-metric": metric, "aria-label": `${param} against best ${metric} of ${points.length} runs` });
    neural.replace(host, plot);
    const theme = neural.colors.theme();
    const data = [trace(others, { size: 6, color: theme.faint, opacity: 0.45 }), trace(chosen, { size: 10, color: chosen.map((one) => neural.colors.of(one.run)), line: { width: 1.5, color: theme.surface } })];
    window.Plotly.newPlot(plot, data, layout(host, param, metric, log, texts, log ? decades(points.map((one) => numeric(one.value))) : undefined), neural.chart.CONFIG);
    plot.addEventListener("pointermove", (event) => hover(plot, points, texts, event));
    plot.addEventListener("pointerleave", () => {
      neural.$("tooltip").hidden = true;
      neural.state.set({ hover: null });
    });
    plot.addEventListener("click", () => plot.near && neural.state.set({ run: plot.near.run.id }));
    return points.length;
  }

  neural.scatter = { draw, pointsOf };
})((window.neural = window.neural || {}));
