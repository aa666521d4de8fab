"use strict";
// One chart: reads its curves, draws them with Plotly, and knows what it shows.
(function (neural) {
  const MARGIN = { l: 56, r: 14, t: 8, b: 28 };
  const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, responsive: false, displaylogo: false };

  const runsOf = (card) => neural.runs.charted().filter((run) => run.metrics[card.metric]);

  /** Give the whole extent of x as the catalogue knows it, before any curve is read. */
  function known(card, runs, axis) {
    if (axis === "step") return [0, Math.max(1, ...runs.map((run) => run.metrics[card.metric].lastStep || 0))];
    const ends = runs.map((run) => [run.started, run.started + Math.max(neural.runs.duration(run) || 1, 1)]);
    if (axis === "relative") return [0, Math.max(1, ...ends.map(([a, b]) => b - a))];
    return axis === "wall" ? [Math.min(...ends.map((end) => end[0])), Math.max(...ends.map((end) => end[1]))] : null;
  }

  function viewOf(card, runs) {
    const state = neural.state.get();
    const range = neural.zoom.windowOf(card);
    const full = card.full || known(card, runs, state.x) || range;
    const tau = full ? neural.smoothing.share(state.smooth) * (full[1] - full[0]) : 0;
    const view = { x: state.x, window: range, tau };
    if (range && tau) view.lead = neural.smoothing.lead(tau, range[0], range[1]);
    return view;
  }

  const isLog = (card) => (neural.state.get().y === "log") !== neural.state.get().logs.includes(card.metric);

  /** Ask for the curves of a chart that is not there yet, exactly as it will. */
  function prefetch(metric) {
    const runs = runsOf({ metric });
    if (runs.length) neural.series.prefetch(metric, runs, viewOf({ metric }, runs));
  }

  async function load(card) {
    card.stale = card.failed = false;
    const runs = runsOf(card);
    if (!runs.length) return clear(card);
    const view = viewOf(card, runs);
    const own = (card.asked = {});
    card.grown.clear();
    card.el.classList.add("loading");
    try {
      const early = neural.series.take(card.metric, runs, view);
      const answer = (early && (await early.catch(() => null))) || (await card.reader.read(card.metric, runs, view));
      await neural.cards.turn(card);
      if (answer && card.asked === own) take(card, answer, runs, view);
    } catch (failed) {
      card.failed = true;
      neural.cardhead.problem(card, failed.message);
      neural.cards.settled(card);
    }
    if (card.asked !== own) return undefined;
    card.asked = null;
    return grow(card, []);
  }

  function take(card, answer, runs, view) {
    card.data = answer;
    card.loaded = { ids: new Set(runs.map((run) => run.id)), lead: view.lead || 0 };
    card.full = neural.traces.xExtent(answer) || card.full || known(card, runs, view.x) || view.window;
    neural.cardhead.problem(card, "");
    draw(card);
  }

  /** Read again only runs that have grown; what grows while it is read, or while everything is, is read after that. */
  async function grow(card, ids) {
    ids.forEach((id) => card.grown.add(id));
    if (card.growing) return;
    card.growing = true;
    try {
      while (card.grown.size && card.data && !card.asked) await growOnce(card);
    } catch (failed) {
      neural.cardhead.problem(card, failed.message);
    } finally {
      card.growing = false;
    }
  }

  /** Take the curves over; everything is read when the server's buckets have changed. */
  async function growOnce(card) {
    const { data } = card;
    const runs = runsOf(card).filter((run) => card.grown.has(run.id));
    card.grown.clear();
    if (!runs.length) return;
    const again = (failed) => {
      runs.forEach((run) => card.grown.add(run.id));
      throw failed;
    };
    const answer = await neural.api.series(neural.series.query(card.metric, runs, viewOf(card, runs))).catch(again);
    if (card.asked || card.data !== data) return; // everything was asked for meanwhile
    if (answer.width !== data.width) return void load(card);
    answer.runs.forEach((series, id) => data.runs.set(id, series));
    card.full = neural.traces.xExtent(data) || card.full;
    draw(card);
  }

  function clear(card) {
    card.data = card.built = card.map = null;
    if (card.drawn) window.Plotly.purge(card.plot);
    card.drawn = false;
    neural.cardhead.update(card, []);
    neural.cards.settled(card);
  }

  function layout(card, box) {
    const state = neural.state.get();
    const theme = neural.colors.theme();
    const axis = { gridcolor: theme.grid, linecolor: theme.line, zeroline: false, showgrid: true, fixedrange: false, ticks: "", automargin: false };
    return {
      width: box.plotWidth, height: box.plotHeight, margin: { ...MARGIN, pad: 0 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      showlegend: false, hovermode: false, dragmode: "zoom",
      font: { family: "Inter, system-ui, sans-serif", size: 11, color: theme.text },
      xaxis: { ...axis, ...neural.ticks.xAxis(card.range, state.x, state.logx, box.width), showgrid: false, showline: true },
      yaxis: { ...axis, type: card.log ? "log" : "linear", range: card.yrange, nticks: Math.max(3, Math.round(box.height / 38)), exponentformat: "power", minexponent: 4, ...(card.log ? { dtick: card.yrange[1] - card.yrange[0] > 1.2 ? 1 : undefined } : {}) },
    };
  }

  function boxOf(card) {
    const { width, height } = card.size || card.plot.getBoundingClientRect();
    return { plotWidth: width, plotHeight: height, left: MARGIN.l, top: MARGIN.t, width: width - MARGIN.l - MARGIN.r, height: height - MARGIN.t - MARGIN.b };
  }

  function ranges(card) {
    const { logx } = neural.state.get();
    card.log = isLog(card);
    card.range = neural.zoom.windowOf(card) || card.full || [0, 1];
    if (logx && card.range[0] <= 0) card.range = [smallestPositive(card), Math.max(card.range[1], 1e-9)];
    card.yrange = card.y || neural.traces.yRange(card.built, card.range, card.log);
  }

  const smallestPositive = (card) => {
    let low = Infinity;
    for (const line of card.built.lines) for (const x of line.x) if (x > 0 && x < low) low = x;
    return Number.isFinite(low) ? low : 1e-3;
  };

  function mapOf(card, box) {
    const { logx } = neural.state.get();
    const x = logx ? card.range.map((v) => Math.log10(v)) : card.range;
    card.map = neural.overlay.scale(box, x, card.yrange, logx, card.log);
  }

  function draw(card) {
    if (!card.data || !card.visible) {
      card.dirty = true;
      return;
    }
    card.dirty = false;
    const state = neural.state.get();
    const box = boxOf(card);
    if (box.width < 20 || !window.Plotly) return;
    card.size = card.size || { width: box.plotWidth, height: box.plotHeight };
    const runs = runsOf(card);
    const view = { ...viewOf(card, runs), log: isLog(card), smooth: state.smooth, band: state.band, group: state.group, agg: state.agg, clip: state.clip };
    card.built = neural.traces.build(card.data, runs, view);
    ranges(card);
    window.Plotly.react(card.plot, card.built.traces, layout(card, box), CONFIG);
    if (!card.drawn) card.plot.on("plotly_relayout", (event) => neural.zoom.onRelayout(card, event));
    if (!card.drawn) card.plot.on("plotly_doubleclick", () => neural.zoom.reset(card));
    if (!card.drawn) card.plot.on("plotly_relayouting", () => neural.hover.hide(card));
    card.drawn = true;
    decorate(card, box, runs);
  }

  function decorate(card, box, runs) {
    card.plot.append(card.overlay.root);
    mapOf(card, box);
    neural.overlay.cross(card.overlay, card.map, null);
    neural.overlay.band(card.overlay, card.map, null);
    card.overlay.point.style.display = "none";
    neural.overlay.spikes(card.overlay, card.map, card.built.bands && neural.state.get().band === "all" ? [] : card.built.lines, card.range);
    neural.hover.highlight(card, neural.state.get().hover);
    card.el.classList.remove("loading");
    neural.cardhead.update(card, runs);
    neural.cards.settled(card);
  }

  /** Show another part of x with the curves that are here; the finer ones follow. */
  function preview(card, range) {
    const box = boxOf(card);
    card.range = range;
    card.yrange = neural.traces.yRange(card.built, range, card.log);
    const { xaxis, yaxis } = layout(card, box);
    window.Plotly.relayout(card.plot, { "xaxis.range": xaxis.range, "xaxis.tickvals": xaxis.tickvals, "xaxis.ticktext": xaxis.ticktext, "yaxis.range": yaxis.range });
    mapOf(card, box);
    neural.overlay.spikes(card.overlay, card.map, card.built.lines, card.range);
  }

  /** Keep a range of one chart in the state, and so in the address. */
  function kept(card, name, where) {
    const get = () => (Object.hasOwn(neural.state.get()[where], card.metric) ? neural.state.get()[where][card.metric] : null);
    const set = (range) => {
      const { [card.metric]: before, ...others } = neural.state.get()[where];
      if (range || get()) neural.state.set({ [where]: range ? { ...others, [card.metric]: range } : others });
    };
    Object.defineProperty(card, name, { get, set });
  }

  function make(metric) {
    const card = { metric, reader: neural.series.reader(), stale: true, dirty: false, visible: false, drawn: false, asked: null, grown: new Set() };
    kept(card, "y", "boxes");
    kept(card, "zoom", "windows");
    card.load = () => load(card);
    card.draw = () => draw(card);
    card.grow = (ids) => grow(card, ids);
    card.preview = (range) => preview(card, range);
    card.refresh = () => {
      if (card.visible) load(card);
      else card.stale = true;
    };
    neural.cardhead.build(card);
    card.overlay = neural.overlay.make(card.plot);
    neural.hover.attach(card);
    neural.zoom.attach(card);
    return card;
  }

  neural.chart = { make, prefetch, runsOf, isLog, layout, boxOf, CONFIG };
})((window.neural = window.neural || {}));
