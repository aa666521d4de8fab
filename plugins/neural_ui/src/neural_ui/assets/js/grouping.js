"use strict";
// Runs with an equal parameter or tag become one line with a band.
(function (neural) {
  const MISSING = "(none)";

  /** Give the text that puts a run into its group. */
  function keyOf(run, group) {
    const [kind, name] = [group.slice(0, group.indexOf(":")), group.slice(group.indexOf(":") + 1)];
    const value = kind === "tag" ? run.tags[name] : run.params[name];
    return value === undefined || value === null ? MISSING : neural.format.value(value);
  }

  /** Give the groups in the order of their values: `[{key, runs, color}]`. */
  function groupsOf(runs, group) {
    const found = new Map();
    for (const run of runs) {
      const key = keyOf(run, group);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(run);
    }
    const keys = [...found.keys()].sort((a, b) => (a === MISSING) - (b === MISSING) || a.localeCompare(b, "en", { numeric: true }));
    return keys.map((key, index) => ({ key, runs: found.get(key), color: neural.colors.at(index), index }));
  }

  /** Give the names by which the runs may be grouped: those with more than one value, fewer than there are runs. */
  function candidates(runs) {
    const out = [];
    for (const [kind, field] of [["param", "params"], ["tag", "tags"]]) {
      for (const name of new Set(runs.flatMap((run) => Object.keys(run[field])))) {
        const values = new Set(runs.map((run) => keyOf(run, `${kind}:${name}`)));
        if (values.size > 1 && (values.size < runs.length || runs.length <= 3) && values.size <= 30) out.push({ value: `${kind}:${name}`, label: kind === "tag" ? `tag ${name}` : name });
      }
    }
    return out.sort((a, b) => a.label.localeCompare(b.label, "en", { numeric: true }));
  }

  function cellWidth(series, width) {
    if (width) return width;
    const places = new Set();
    let most = 1;
    for (const one of series) {
      one.x.forEach((x) => places.add(x));
      most = Math.max(most, one.x.length);
    }
    if (places.size <= most * 1.5) return 0; // the runs have their points at the same places
    const low = Math.min(...series.map((one) => one.x[0]));
    const high = Math.max(...series.map((one) => one.x[one.x.length - 1]));
    return (high - low) / 200 || 0;
  }

  /** Give the points of one run, one for each cell: the ends of a curve are points of their own. */
  function ownCells(one, cell) {
    const own = new Map();
    for (let i = 0; i < one.x.length; i += 1) {
      if (Number.isNaN(one.mean[i])) continue;
      const place = cell ? Math.floor(one.x[i] / cell) : one.x[i];
      const [x, y, n] = own.get(place) || [0, 0, 0];
      own.set(place, [x + one.x[i], y + one.mean[i], n + 1]);
    }
    return [...own.entries()].map(([place, [x, y, n]]) => ({ place, x: x / n, y: y / n })).sort((p, q) => p.place - q.place);
  }

  /** Give the value of a run at a place between two of its points; runs differ in how often they log. */
  function between(before, after, place) {
    const share = (place - before.place) / (after.place - before.place);
    return [before.x + share * (after.x - before.x), before.y + share * (after.y - before.y)];
  }

  /** Merge the curves of one group: mean over the runs that have begun and not ended, and a band. */
  function merge(series, width, agg) {
    const cell = cellWidth(series, width);
    const runs = series.map((one) => ownCells(one, cell));
    const places = [...new Set(runs.flatMap((points) => points.map((point) => point.place)))].sort((a, b) => a - b);
    const cells = places.map(() => []);
    for (const points of runs) {
      let at = 0;
      places.forEach((place, index) => {
        while (at < points.length && points[at].place < place) at += 1;
        if (at === points.length) return;
        if (points[at].place === place) cells[index].push([points[at].x, points[at].y]);
        else if (at > 0) cells[index].push(between(points[at - 1], points[at], place));
      });
    }
    return summary(cells, agg);
  }

  function summary(cells, agg) {
    const out = { n: new Uint32Array(cells.length) };
    for (const name of ["x", "mean", "min", "max"]) out[name] = new Float64Array(cells.length);
    cells.forEach((points, i) => {
      const n = points.length;
      const mean = points.reduce((sum, [, y]) => sum + y, 0) / n;
      const spread = Math.sqrt(points.reduce((sum, [, y]) => sum + (y - mean) ** 2, 0) / Math.max(1, n - 1));
      out.n[i] = n;
      out.x[i] = points.reduce((sum, [x]) => sum + x, 0) / n;
      out.mean[i] = mean;
      out.min[i] = agg === "minmax" ? Math.min(...points.map(([, y]) => y)) : mean - spread;
      out.max[i] = agg === "minmax" ? Math.max(...points.map(([, y]) => y)) : mean + spread;
    });
    return out;
  }

  neural.grouping = { keyOf, groupsOf, candidates, merge };
})((window.neural = window.neural || {}));
