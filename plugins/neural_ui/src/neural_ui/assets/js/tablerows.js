"use strict";
// Columns and rows of the table of runs. Every column has a key, which the address holds: `tags`, `p:lr`, `best:loss`.
(function (neural) {
  const MOST_PARAMS = 120;
  const MOST_METRICS = 60;
  const NUMBER = { type: "rightAligned", filter: "agNumberColumnFilter", cellDataType: false };
  const FIXED = [
    { colId: "name", headerName: "Run", field: "name", cellRenderer: "RunName", initialPinned: "left", initialWidth: 230, filter: "agTextColumnFilter", tooltipField: "name" },
    { colId: "status", headerName: "Status", field: "status", initialWidth: 110 },
    { colId: "started", headerName: "Started", field: "started", initialWidth: 172 },
    { colId: "duration", headerName: "Duration (s)", field: "duration", initialWidth: 130, ...NUMBER },
    { colId: "tags", headerName: "Tags", field: "tags", initialWidth: 150, tooltipField: "tags" },
  ];
  const DEFAULT_ORDER = "-started";
  const { decoded } = neural.url;

  /** Give the parameters and metrics that have columns. */
  function namesOf(runs) {
    const all = neural.runs.paramsOf(runs);
    const differs = (name) => new Set(runs.map((run) => neural.format.value(run.params[name]))).size > 1;
    return { params: (neural.state.get().differ ? all.filter(differs) : all).slice(0, MOST_PARAMS), metrics: neural.runs.metricsOf(runs).slice(0, MOST_METRICS) };
  }

  const keysOf = ({ params, metrics }) => [...FIXED.map((one) => one.colId), ...metrics.map((name) => `best:${name}`), ...params.map((name) => `p:${name}`)];

  /** Read chosen columns as the address has them: the shown ones, or after a minus sign those left out. */
  function chosenOf(text, keys) {
    const named = new Set(text.replace(/^-/, "").split(",").filter(Boolean).map(decoded));
    return new Set(keys.filter((key) => key === "name" || !text || (text.startsWith("-") ? !named.has(key) : named.has(key))));
  }

  /** Write chosen columns in the shorter of the two ways. */
  function textOf(chosen, keys) {
    const ways = [keys.filter((key) => chosen.has(key)), keys.filter((key) => !chosen.has(key))].map((list) => list.map(encodeURIComponent).join(","));
    if (!ways[1]) return "";
    return ways[1].length + 1 < ways[0].length ? `-${ways[1]}` : ways[0];
  }

  /** Read an order as the address has it: `-started,p:lr`, a minus sign for descending. */
  const orderOf = (text) => new Map((text || DEFAULT_ORDER).split(",").map((one, index) => [decoded(one.replace(/^-/, "")), { sort: one.startsWith("-") ? "desc" : "asc", sortIndex: index }]));

  /** Write the order that the grid's columns have. */
  function orderText(columns) {
    const sorted = columns.filter((one) => one.sort).sort((a, b) => a.sortIndex - b.sortIndex);
    const text = sorted.map((one) => `${one.sort === "desc" ? "-" : ""}${encodeURIComponent(one.colId)}`).join(",");
    return text === DEFAULT_ORDER ? "" : text;
  }

  /** Give the columns; names of data are titles and keys, never paths or code. */
  function columnsOf(runs, names) {
    const { cols, order } = neural.state.get();
    const chosen = chosenOf(cols, keysOf(names));
    const orders = orderOf(order);
    const full = (column, key = column.colId) => ({ ...column, hide: !chosen.has(key), ...(orders.get(column.colId) || { sort: null, sortIndex: null }) });
    const numeric = (name) => runs.every((run) => run.params[name] === undefined || typeof run.params[name] === "number");
    const ofParams = names.params.map((name, index) => full({ colId: `p:${name}`, headerName: name, field: `p${index}`, headerTooltip: name, ...(numeric(name) ? NUMBER : {}) }));
    const ofMetrics = names.metrics.map((name, index) => ({
      headerName: name, headerTooltip: `${name}: best and last`,
      children: [
        full({ colId: `best:${name}`, headerName: "best", field: `b${index}`, tooltipField: `bt${index}`, ...NUMBER }),
        full({ colId: `last:${name}`, headerName: "last", field: `l${index}`, tooltipField: `lt${index}`, columnGroupShow: "open", ...NUMBER }, `best:${name}`),
      ],
    }));
    return [...FIXED.map((one) => full(one)), ...ofMetrics, ...(ofParams.length ? [{ headerName: "Parameters", children: ofParams }] : [])];
  }

  const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(5)) : null);
  const TIME = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" }); // sorts as text
  const time = (seconds) => (seconds ? TIME.format(seconds * 1000) : "");

  function rowOf(run, { params, metrics }) {
    const row = { id: run.id, name: run.name, status: neural.runs.status(run), started: time(run.started), duration: rounded(neural.runs.duration(run)), tags: Object.keys(run.tags).join(", ") };
    params.forEach((name, index) => {
      const value = run.params[name];
      row[`p${index}`] = value === undefined || value === null ? null : typeof value === "number" ? value : neural.format.value(value);
    });
    metrics.forEach((name, index) => {
      if (!run.metrics[name]) return;
      row[`b${index}`] = rounded(neural.runs.best(run, name).value);
      row[`l${index}`] = rounded(run.metrics[name].last);
    });
    return row;
  }

  /** Give one row for each group: mean ± deviation of each metric, and how many runs; the tooltip has the range. */
  function groupRowsOf(runs, { metrics }) {
    const { rows: grouped } = neural.state.get();
    if (!grouped) return [];
    return neural.grouping.groupsOf(runs, grouped).map((group) => {
      const row = { id: `group ${group.key}`, name: `${grouped.slice(grouped.indexOf(":") + 1)} = ${group.key}`, status: neural.format.plural(group.runs.length, "run") };
      metrics.forEach((name, index) => {
        [row[`b${index}`], row[`bt${index}`]] = spread(group.runs.map((run) => neural.runs.best(run, name).value));
        [row[`l${index}`], row[`lt${index}`]] = spread(group.runs.map((run) => (run.metrics[name] ? run.metrics[name].last : NaN)));
      });
      return row;
    });
  }

  function spread(all) {
    const values = all.filter(Number.isFinite);
    if (!values.length) return [null, null];
    const { number, plural } = neural.format;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, values.length - 1));
    const text = values.length > 1 ? `${number(mean)} ± ${number(deviation, 2)}` : number(mean);
    return [text, `${text}: ${plural(values.length, "run")}, ${number(Math.min(...values))} to ${number(Math.max(...values))}`];
  }

  neural.tablerows = { namesOf, keysOf, chosenOf, textOf, orderOf, orderText, columnsOf, rowOf, groupRowsOf };
})((window.neural = window.neural || {}));
