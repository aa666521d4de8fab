"use strict";
// Turns the curves of one chart into lines for Plotly. Knows colours, bands, gaps and smoothing; draws nothing.
(function (neural) {
  const FEW = 6; // with more runs a band for each makes a grey mat

  const MARKED = 160; // points of a chart that get a marker each; more make the page heavy and the lines thick

  const convert = (x, axis) => (axis === "wall" ? x.map((one) => neural.ticks.toPlot(one, axis)) : x);

  /** Put gaps where a logarithmic axis has no place; give the array and how many were hidden. */
  function gaps(y, log) {
    if (!log) return [y, 0];
    let hidden = 0;
    const out = y.map((one) => {
      if (!(one <= 0)) return one;
      hidden += 1;
      return NaN;
    });
    return [out, hidden];
  }

  function scatter(x, y, more) {
    return { type: "scatter", mode: "lines", x, y, hoverinfo: "skip", connectgaps: false, ...more };
  }

  function bandOf(line, color, opacity) {
    const none = { width: 0 };
    return [
      scatter(line.px, line.low, { line: none, uid: `${line.uid}a` }),
      scatter(line.px, line.high, { line: none, fill: "tonexty", fillcolor: neural.colors.alpha(color, opacity), uid: `${line.uid}b` }),
    ];
  }

  /** Bring one curve into the form of a line: smoothed, with gaps, with its band. */
  function lineOf(series, view, looks) {
    const smooth = neural.smoothing.ema(series.x, series.mean, view.tau);
    const [y, hidden] = gaps(smooth, view.log);
    const line = { ...looks, x: series.x, y, px: convert(series.x, view.x), hidden, series };
    const grouped = Boolean(looks.group);
    const low = series.min || series.mean;
    const high = series.max || series.mean;
    line.low = gaps(grouped ? neural.smoothing.ema(series.x, low, view.tau) : low, view.log)[0];
    line.high = gaps(grouped ? neural.smoothing.ema(series.x, high, view.tau) : high, view.log)[0];
    line.banded = grouped ? series.n.some((n) => n > 1) : Boolean(series.min);
    return line;
  }

  function runLines(data, runs, view) {
    const width = runs.length <= 8 ? 1.8 : 1.3;
    return runs.flatMap((run, index) => {
      const series = data.runs.get(run.id);
      if (!series || series.kind === "none" || !series.x || !series.x.length) return [];
      const looks = { id: run.id, ids: [run.id], uid: `u${index}x`, name: run.name, color: neural.colors.of(run), dash: neural.colors.dash(run), width };
      return [lineOf(series, view, looks)];
    });
  }

  function groupLines(data, runs, view) {
    return neural.grouping.groupsOf(runs, view.group).flatMap((group) => {
      const series = group.runs.map((run) => data.runs.get(run.id)).filter((one) => one && one.x && one.x.length);
      if (!series.length) return [];
      const merged = neural.grouping.merge(series, data.width, view.agg);
      const looks = { id: `group:${group.key}`, ids: group.runs.map((run) => run.id), uid: `u${group.index}x`, name: group.key, n: series.length, group: true, color: group.color, dash: "solid", width: 2 };
      return [lineOf(merged, view, looks)];
    });
  }

  /** Say whether every line has its band, by the rule of the toolbar. */
  function bandsShown(lines, view) {
    if (view.group) return true;
    if (view.band === "all") return true;
    return view.band === "hover" && view.smooth === 0 && lines.length <= FEW;
  }

  /** Give `{lines, traces, bands}` of a chart. */
  function build(data, runs, view) {
    const lines = view.group ? groupLines(data, runs, view) : runLines(data, runs, view);
    const bands = bandsShown(lines, view);
    const traces = [];
    for (const line of lines) if (bands && line.banded) traces.push(...bandOf(line, line.color, view.group || lines.length <= FEW ? 0.16 : 0.09));
    if (view.smooth && !view.group && lines.length <= FEW) {
      for (const line of lines) {
        const raw = gaps(line.series.mean, view.log)[0];
        traces.push(scatter(line.px, raw, { opacity: 0.28, line: { color: line.color, width: 1 }, uid: `${line.uid}r` }));
      }
    }
    const few = lines.reduce((sum, line) => sum + line.x.length, 0) <= MARKED;
    for (const line of lines) {
      const more = few || line.x.length === 1 ? { mode: "lines+markers", marker: { color: line.color, size: line.x.length === 1 ? 7 : 4 } } : {};
      traces.push(scatter(line.px, line.y, { line: { color: line.color, width: line.width, dash: line.dash }, uid: line.uid, ...more }));
    }
    return { lines, traces, bands, clip: view.clip };
  }

  /** Give the range of y that fits what the window shows: the lines, and the common part of shown bands. */
  function yRange(built, [from, to], log) {
    let low = Infinity;
    let high = -Infinity;
    for (const line of built.lines) {
      const [a, b] = (built.clip ? neural.stats.common : neural.stats.extent)(line.x, line.y, from, to, log);
      [low, high] = [Math.min(low, a), Math.max(high, b)];
      if (!built.bands || !line.banded) continue;
      const [i, j] = [neural.stats.lower(line.x, from), neural.stats.lower(line.x, to) + 1];
      const [c, d] = line.group
        ? [neural.stats.extent(line.x, line.low, from, to, log)[0], neural.stats.extent(line.x, line.high, from, to, log)[1]]
        : [neural.stats.quantile(line.low.slice(i, j), 0.03), neural.stats.quantile(line.high.slice(i, j), 0.97)];
      if (Number.isFinite(c)) low = Math.min(low, c);
      if (Number.isFinite(d)) high = Math.max(high, d);
    }
    return neural.stats.padded([low, high], log);
  }

  /** Give the extent of x over the whole length of the runs, whatever the window; null when there is none. */
  function xExtent(data) {
    let low = Infinity;
    let high = -Infinity;
    for (const one of data.runs.values()) {
      if (one.kind === "none" || !Number.isFinite(one.first) || !Number.isFinite(one.last)) continue;
      low = Math.min(low, one.first, one.last);
      high = Math.max(high, one.first, one.last);
    }
    if (low > high) return null;
    return low === high ? [low - 0.5, high + 0.5] : [low, high];
  }

  neural.traces = { build, yRange, xExtent };
})((window.neural = window.neural || {}));
