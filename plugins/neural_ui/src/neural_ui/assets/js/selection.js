"use strict";
// Which runs the list shows, in which order, and which of them are selected at the start.
(function (neural) {
  const NEWEST = 10; // selected when nobody has chosen
  const MOST = 500; // that "All" selects

  let rows = []; // runs in the order of the list
  let problem = "";
  let search = ""; // with which the selection was made at the start
  let metric = ""; // of the list, chosen by rule

  const COLLATOR = new Intl.Collator("en", { numeric: true });

  function compare(state) {
    if (state.sort === "name") return (a, b) => (state.ascending ? 1 : -1) * COLLATOR.compare(a.name, b.name);
    if (state.sort === "metric") {
      const value = (run) => neural.runs.best(run, state.listMetric).value;
      const up = state.ascending ? -1 : 1;
      return (a, b) => {
        const [x, y] = [value(a), value(b)];
        const missing = Number.isNaN(x) - Number.isNaN(y);
        return missing || up * neural.runs.better(state.listMetric, x, y);
      };
    }
    return (a, b) => (state.ascending ? -1 : 1) * (b.ordinal - a.ordinal);
  }

  const offered = (archived) => (archived ? neural.runs.all() : neural.runs.current());

  /** Filter and sort anew; selected runs come first, and stay where they are until the next time. */
  function arrange() {
    const state = neural.state.get();
    const { test, problem: trouble, archived } = neural.filter.parse(state.q);
    problem = trouble;
    const order = compare(state);
    const chosen = (run) => (state.selected.has(run.id) ? 0 : 1);
    rows = offered(archived).filter(test).sort((a, b) => chosen(a) - chosen(b) || order(a, b));
    return rows;
  }

  const storeKey = () => `selection:${neural.runs.info().base_dir}`;

  /** Say whether the runs that are here tell what to select, though there are more. */
  function enough() {
    const { q, selected, run, base } = neural.state.get();
    const asked = [...(selected.size ? selected : neural.url.recall(storeKey(), [])), run, base].filter(Boolean);
    return neural.runs.whole() || (!q && asked.every((id) => neural.runs.get(id)));
  }

  const known = (ids) => [...new Set([...ids].flatMap((id) => (neural.runs.get(id) ? [id] : neural.runs.copies(id))))];

  /** Those that are there. While runs are still being read, those that may come as well: `settle` looks again. */
  const expected = (ids) => (neural.runs.info().pending ? [...ids] : known(ids));

  /** Select what the address names, else what was selected last, else the newest runs. */
  function initial() {
    const { selected, q } = neural.state.get();
    search = q;
    const named = expected(selected);
    const ids = named.length || q ? named : expected(neural.url.recall(storeKey(), []));
    if (ids.length) neural.state.set({ selected: new Set(ids), touched: true });
    else newest();
    mainMetric();
  }

  /** Show the metric that tells most of what is selected, unless somebody has chosen another. */
  function mainMetric() {
    const { listMetric } = neural.state.get();
    if (listMetric !== metric) return;
    metric = neural.runs.mainMetric(neural.runs.charted().length ? neural.runs.charted() : neural.runs.all());
    neural.state.set({ listMetric: metric });
  }

  /** Select the newest of the runs that the first search finds, for somebody who has not chosen. */
  function newest() {
    const { selected } = neural.state.get();
    const { test, archived } = neural.filter.parse(search);
    const healthy = offered(archived).filter((run) => !run.error && test(run));
    const ids = healthy.sort((a, b) => b.ordinal - a.ordinal).slice(0, NEWEST).map((run) => run.id);
    neural.state.set({ selected: ids.join() === [...selected].join() ? selected : new Set(ids), touched: false });
  }

  /** Look again when there are other runs: some of those expected may not be there, and a new one may be the newest. */
  function settle() {
    const { selected, touched } = neural.state.get();
    const ids = known(selected);
    if (!touched) newest();
    else if (!ids.length && selected.size) initial();
    else if (ids.join() !== [...selected].join()) neural.state.set({ selected: new Set(ids) });
  }

  function all() {
    const ids = rows.slice(0, MOST).map((run) => run.id);
    neural.state.select(ids);
    if (ids.length > 100) neural.toast(`Charts show the first 100 of ${ids.length} selected runs.`);
  }

  /** Show one run alone; the second time brings the selection back. */
  let before = null;
  function solo(id) {
    const { selected } = neural.state.get();
    const alone = selected.size === 1 && selected.has(id);
    if (alone && before) neural.state.select(before);
    else {
      before = [...selected];
      neural.state.select([id]);
    }
  }

  function start() {
    neural.runs.on(() => neural.state.get().listMetric || mainMetric());
    neural.state.on("selected", ({ selected, touched }) => touched && neural.url.keep(storeKey(), [...selected]));
  }

  neural.selection = { arrange, enough, initial, settle, mainMetric, all, solo, start, rows: () => rows, problem: () => problem };
})((window.neural = window.neural || {}));
