"use strict";
// All experiments of the folder as the server told them, kept up to date.
(function (neural) {
  const FIELDS = "id ordinal name status started ended last_sign tags notes color revision error artifacts params metrics".split(" ");
  const LOWER = /loss|error|perplexity|(^|[^a-z])(mse|mae|rmse|wer|cer|ppl|nll|bpc|latency|time|fid)([^a-z]|$)/i;
  const STALE = 60; // seconds without a sign of life
  const ARCHIVED = "archived"; // the tag of runs that the list leaves out
  const byId = new Map();
  const listeners = [];
  let info = { base_dir: "", cursor: null, total: 0, pending: 0, trash: 0 };
  let directions = Object.create(null);
  let names = null;

  const measure = (row) => ({ count: row[0], last: Number(row[1] ?? NaN), lastStep: row[2], min: Number(row[3] ?? NaN), minStep: row[4], max: Number(row[5] ?? NaN), maxStep: row[6] });

  /** Give a copy without a prototype: names like “constructor” are names of people here. */
  const plain = (one) => Object.assign(Object.create(null), one);

  /** The same of what was read just now and nobody else holds. */
  const bare = (one) => Object.setPrototypeOf(one || {}, null);

  function* rowsOf(columns) {
    for (let index = 0; index < columns.id.length; index += 1) {
      const run = {};
      for (const field of FIELDS) run[field] = columns[field] ? columns[field][index] : null;
      run.params = bare(run.params);
      run.tags = bare(run.tags);
      run.metrics = bare(run.metrics);
      for (const name of Object.keys(run.metrics)) run.metrics[name] = measure(run.metrics[name]);
      run.name = String(run.name ?? run.id);
      yield run;
    }
  }

  function changed(kind, ids) {
    names = null;
    neural.colors.refreshDashes();
    neural.names.forget();
    for (const work of listeners) work(kind, ids);
  }

  /** Take a list over; it may be only the beginning of one. */
  function load(answer) {
    byId.clear();
    for (const run of rowsOf(answer.runs)) byId.set(run.id, run);
    info = { base_dir: answer.base_dir, cursor: answer.cursor, total: answer.total, pending: answer.pending, trash: answer.trash };
    directions = plain(answer.directions);
    changed("all", [...byId.keys()]);
  }

  /** Take an answer of `changes` over; give the ids of runs that were not known before. */
  function merge(answer) {
    info.cursor = answer.cursor;
    info.pending = answer.pending;
    Object.assign(directions, answer.directions);
    const fresh = [];
    const touched = [...(answer.removed || [])];
    touched.forEach((id) => byId.delete(id));
    for (const run of answer.runs ? rowsOf(answer.runs) : []) {
      if (!byId.has(run.id)) fresh.push(run.id);
      byId.set(run.id, run);
      touched.push(run.id);
    }
    info.total = byId.size + info.pending;
    if (touched.length) changed("some", touched);
    return fresh;
  }

  const status = (run) => {
    if (run.error) return "damaged";
    if (run.status !== "running") return run.status || "unknown";
    return run.last_sign && Date.now() / 1000 - run.last_sign > STALE ? "stalled" : "running";
  };

  const archived = (run) => ARCHIVED in run.tags;

  /** Give the runs that a person still works with: those that are not archived, and archived ones that are selected. */
  const current = () => [...byId.values()].filter((run) => !archived(run) || neural.state.get().selected.has(run.id));

  /** Give the ids under which an experiment is known whose id has changed: it has become one of several copies, or the only one. */
  function copies(id) {
    const [own] = id.split("~");
    return own ? [...byId.keys()].filter((one) => one.split("~")[0] === own) : [];
  }

  let stalled = "";

  /** Tell the page of runs that have given no sign of life since it looked last. */
  function age() {
    const ids = [...byId.values()].filter((run) => run.status === "running" && status(run) === "stalled").map((run) => run.id);
    if (ids.join() === stalled) return;
    stalled = ids.join();
    changed("some", ids);
  }

  const duration = (run) => (run.ended || (status(run) === "running" ? Date.now() / 1000 : run.last_sign)) - run.started;

  const selected = () => [...neural.state.get().selected].map((id) => byId.get(id)).filter(Boolean);

  /** Give the selected runs that charts may show: what one request of the server takes. */
  const charted = () => selected().slice(0, 100);

  /** Give the names of all metrics, the most common first, then by name. */
  function metricNames() {
    if (names) return names;
    const counts = new Map();
    for (const run of byId.values()) for (const name of Object.keys(run.metrics)) counts.set(name, (counts.get(name) || 0) + 1);
    names = [...counts.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    names.counts = counts;
    return names;
  }

  const metricsOf = (some) => {
    const known = new Set();
    for (const run of some) for (const name of Object.keys(run.metrics)) known.add(name);
    return metricNames().filter((name) => known.has(name));
  };

  const paramsOf = (some) => [...new Set(some.flatMap((run) => Object.keys(run.params)))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

  const direction = (metric) => directions[metric] || (LOWER.test(metric) ? "min" : "max");

  /** Give best value and its step by the metric's direction. */
  function best(run, metric) {
    const one = run.metrics[metric];
    if (!one) return { value: NaN, step: null };
    return direction(metric) === "min" ? { value: one.min, step: one.minStep } : { value: one.max, step: one.maxStep };
  }

  /** Order two values by the metric's direction, the better first, those missing last. */
  function better(metric, a, b) {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return direction(metric) === "min" ? a - b : b - a;
  }

  /** Give the metric that tells most: a validation score, else a common one. */
  function mainMetric(some) {
    const rank = [/^(val|valid|test|eval).*(acc|f1|auc|score)/i, /(acc|f1|auc|score)/i, /^(val|valid|test|eval).*loss/i, /loss/i];
    const known = metricsOf(some);
    for (const rule of rank) {
      const found = known.find((name) => rule.test(name.replace(/^.*\//, "")) || rule.test(name));
      if (found) return found;
    }
    return known[0] || "";
  }

  async function setDirection(metric, value) {
    await neural.api.direction(metric, value);
    directions[metric] = value;
    changed("directions", []);
  }

  neural.runs = {
    ARCHIVED, archived, current, age, plain, load, merge, status, duration, selected, charted, metricNames, metricsOf, paramsOf, direction, setDirection, best, better, mainMetric,
    all: () => [...byId.values()],
    get: (id) => byId.get(id),
    copies,
    info: () => info,
    whole: () => byId.size + info.pending >= info.total, // all that the server knows by now
    on: (work) => listeners.push(work),
    put: (run) => byId.set(run.id, run) && changed("some", [run.id]),
    forget: (id) => byId.delete(id) && ((info.total -= 1), changed("some", [id])),
  };
})((window.neural = window.neural || {}));
