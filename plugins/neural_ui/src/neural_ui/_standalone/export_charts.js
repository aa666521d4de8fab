"use strict";
// The charts of an exported comparison: decoded, smoothed, drawn when they come into view, zoomed together.
(function (neural) {
  const KINDS = { f4: Float32Array, f8: Float64Array };
  const BAND_RUNS = 6;
  const CONFIG = { displayModeBar: false, responsive: true, showTips: false, doubleClick: "reset" };
  const cards = [];
  let options = { smooth: 0, log: false, band: false, hidden: new Set(), range: null, x: "step" };
  let runs = [];

  function decode(packed) {
    const bytes = Uint8Array.from(atob(packed.bdata), (sign) => sign.charCodeAt(0));
    return Float64Array.from(new KINDS[packed.dtype](bytes.buffer));
  }

  const literal = (text) =>
    text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;").replace(/%\{/g, "%&#123;");

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const color = (run) => run.color || css(`--run-${run.index}`);

  function faded(text, opacity) {
    const value = Number.parseInt(text.slice(1, 7), 16);
    return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${opacity})`;
  }

  function span(curves) {
    const ends = curves.flatMap((curve) => (curve.x.length ? [curve.x[0], curve.x[curve.x.length - 1]] : []));
    return ends.length ? Math.max(...ends) - Math.min(...ends) : 0;
  }

  /** Give the traces of one curve: its band when there is one, and its line. */
  function traces(curve, tau, width, banded) {
    const run = runs[curve.run];
    const times = options.x === "wall" ? Array.from(curve.x, (seconds) => seconds * 1000) : curve.x;
    const base = { type: "scatter", mode: "lines", x: times };
    const found = [];
    if (banded && curve.low) {
      const edge = { ...base, line: { width: 0 }, hoverinfo: "skip", showlegend: false };
      found.push({ ...edge, y: curve.low }, { ...edge, y: curve.high, fill: "tonexty", fillcolor: faded(color(run), 0.16) });
    }
    found.push({
      ...base,
      y: neural.smoothing.ema(curve.x, curve.mean, tau),
      name: literal(run.name),
      mode: curve.n <= 50 ? "lines+markers" : "lines",
      marker: { size: 4 },
      line: { color: color(run), width, dash: run.dash },
      hovertemplate: `${literal(run.name)}<br>%{y:.6g} at %{x}<extra></extra>`,
    });
    return found;
  }

  function layout() {
    const axis = { gridcolor: css("--grid"), zeroline: false, linecolor: css("--border-strong"), automargin: true };
    return {
      margin: { l: 48, r: 12, t: 8, b: 34 },
      height: 280,
      showlegend: false,
      hovermode: "closest",
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: css("--text-2"), size: 11, family: getComputedStyle(document.body).fontFamily },
      xaxis: { ...axis, showgrid: false, type: options.x === "wall" ? "date" : "linear", ...(options.range ? { range: [...options.range] } : {}) },
      yaxis: { ...axis, type: options.log ? "log" : "linear" },
    };
  }

  async function draw(card) {
    card.curves = card.curves || card.data.curves.map((curve) => ({
      ...curve, x: decode(curve.x), mean: decode(curve.mean),
      low: curve.low && decode(curve.low), high: curve.high && decode(curve.high),
    }));
    const shown = card.curves.filter((curve) => !options.hidden.has(curve.run));
    const tau = neural.smoothing.share(options.smooth) * span(card.curves);
    const width = shown.length <= 8 ? 1.8 : 1.3;
    const banded = options.band;
    card.drawn = true;
    await Plotly.react(card.plot, shown.flatMap((curve) => traces(curve, tau, width, banded)), layout(), CONFIG);
    if (card.followed) return;
    card.followed = true;
    card.plot.on("plotly_relayout", (change) => zoomed(change));
  }

  function zoomed(change) {
    const from = change["xaxis.range[0]"];
    const reset = change["xaxis.autorange"];
    if (from === undefined && !reset) return;
    const range = reset ? null : [from, change["xaxis.range[1]"]];
    if (String(range) !== String(options.range)) set({ range });
  }

  function make(data) {
    const article = document.createElement("article");
    article.className = "chart";
    article.dataset.metric = data.metric;
    const heading = document.createElement("h3");
    heading.textContent = data.metric;
    const note = document.createElement("small");
    const points = data.curves.reduce((sum, curve) => sum + curve.n, 0);
    const hidden = data.curves.reduce((sum, curve) => sum + curve.hidden, 0);
    note.textContent = `${data.curves.length} runs · ${points.toLocaleString("en-US")} points${hidden ? ` · ${hidden.toLocaleString("en-US")} NaN or infinite` : ""}`;
    heading.append(" ", note);
    const plot = document.createElement("div");
    plot.className = "plot";
    article.append(heading, plot);
    return { data, article, plot, visible: false, drawn: false };
  }

  /** Change what is shown; only cards in view are drawn again, the others when they come into view. */
  function set(change) {
    options = { ...options, ...change };
    return Promise.all(cards.map((card) => {
      card.drawn = false;
      return card.visible && !card.article.hidden ? draw(card) : null;
    }));
  }

  function find(text) {
    const wanted = text.trim().toLowerCase();
    for (const card of cards) card.article.hidden = !card.data.metric.toLowerCase().includes(wanted);
  }

  async function start(comparison, place) {
    runs = comparison.runs;
    options = { ...options, ...comparison.state, band: comparison.state.band === "all" || (comparison.state.band === "hover" && runs.length <= BAND_RUNS) };
    cards.push(...comparison.charts.map(make));
    place.append(...cards.map((card) => card.article));
    const byPlot = new Map(cards.map((card) => [card.article, card]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const card = byPlot.get(entry.target);
        card.visible = entry.isIntersecting;
        if (card.visible && !card.drawn) draw(card);
      }
    }, { rootMargin: "200px" });
    cards.forEach((card) => seen.observe(card.article));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }

  neural.charts = { start, set, find, get: () => options };
})((window.neural = window.neural || {}));
