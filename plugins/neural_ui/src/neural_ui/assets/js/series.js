"use strict";
// Reads curves of one chart; of several requests only the newest answer counts.
(function (neural) {
  const MOST_POINTS = 700;

  /** Give the query of a chart: the runs that have the metric, its window, and what smoothing needs at the left. */
  function query(metric, runs, view) {
    const out = { runs: runs.map((run) => run.id).join(","), metric, x: view.x, points: view.points || MOST_POINTS };
    if (view.window) {
      [out.from, out.to] = view.window;
      if (view.lead > 0) out.lead = view.lead;
    }
    return out;
  }

  /** Make a reader for one chart. `read` gives null when a newer request has overtaken it. */
  function reader() {
    let newest = 0;
    let abort = null;

    async function read(metric, runs, view) {
      newest += 1;
      const own = newest;
      if (abort) abort.abort();
      abort = new AbortController();
      try {
        const answer = await neural.api.series(query(metric, runs, view), abort.signal);
        return own === newest ? answer : null;
      } catch (failed) {
        if (failed.name === "AbortError" || own !== newest) return null;
        throw failed;
      }
    }

    return { read, stop: () => abort && abort.abort() };
  }

  // What main.js asked for before the page was there: key -> promise, taken once.
  const early = new Map();
  const key = (one) => JSON.stringify(one);

  function prefetch(metric, runs, view) {
    const one = query(metric, runs, view);
    const answer = neural.api.series(one);
    answer.catch(() => undefined); // the chart asks again and tells
    early.set(key(one), answer);
  }

  function take(metric, runs, view) {
    const name = key(query(metric, runs, view));
    const answer = early.get(name);
    early.delete(name);
    return answer;
  }

  neural.series = { reader, prefetch, take, query };
})((window.neural = window.neural || {}));
