"use strict";
// The table of all runs, in Dash's AG Grid: this module gives it rows and columns and takes its selection.
(function (neural) {
  const GRID = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js";
  let asked = false;
  let onlyDiffering = false;
  let grouped = "";
  let filling = false;

  const sheet = () => neural.$("runs-sheet");
  const grid = () => document.querySelector("#runs-table .ag-root");

  /** Give the columns; names of data are titles only, never paths or code. */
  function columnsOf(runs) {
    const number = { type: "rightAligned", filter: "agNumberColumnFilter", cellDataType: false };
    const fixed = [
      { headerName: "Run", field: "name", pinned: "left", width: 230, filter: "agTextColumnFilter", tooltipField: "name" },
      { headerName: "Status", field: "status", width: 110 },
      { headerName: "Started", field: "started", width: 172, sort: "desc" },
      { headerName: "Duration (s)", field: "duration", width: 130, ...number },
      { headerName: "Tags", field: "tags", width: 150, tooltipField: "tags" },
    ];
    const { params, metrics } = namesOf(runs);
    const ofParams = params.map((name, index) => ({ headerName: name, field: `p${index}`, headerTooltip: name, ...(runs.every((run) => run.params[name] === undefined || typeof run.params[name] === "number") ? number : {}) }));
    const ofMetrics = metrics.map((name, index) => ({ headerName: name, headerTooltip: `${name}: best and last`, children: [{ headerName: "best", field: `b${index}`, width: 132, ...number }, { headerName: "last", field: `l${index}`, width: 132, columnGroupShow: "open", ...number }] }));
    return [...fixed, ...ofMetrics, ...(ofParams.length ? [{ headerName: "Parameters", children: ofParams }] : [])];
  }

  function namesOf(runs) {
    const all = neural.runs.paramsOf(runs);
    const differs = (name) => new Set(runs.map((run) => neural.format.value(run.params[name]))).size > 1;
    return { params: (onlyDiffering ? all.filter(differs) : all).slice(0, 120), metrics: neural.runs.metricsOf(runs).slice(0, 60) };
  }

  const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(5)) : null);

  function rowOf(run, { params, metrics }) {
    const row = { id: run.id, name: run.name, status: neural.runs.status(run), started: run.started ? new Date(run.started * 1000).toISOString().slice(0, 19).replace("T", " ") : "", duration: rounded(neural.runs.duration(run)), tags: Object.keys(run.tags).join(", ") };
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

  /** Give one row for each group: mean ± deviation of each metric, and how many runs. */
  function groupRowsOf(runs, { metrics }) {
    if (!grouped) return [];
    return neural.grouping.groupsOf(runs, grouped).map((group) => {
      const row = { id: `group ${group.key}`, name: `${grouped.slice(grouped.indexOf(":") + 1)} = ${group.key}`, status: neural.format.plural(group.runs.length, "run") };
      metrics.forEach((name, index) => {
        row[`b${index}`] = spread(group.runs.map((run) => neural.runs.best(run, name).value));
        row[`l${index}`] = spread(group.runs.map((run) => (run.metrics[name] ? run.metrics[name].last : NaN)));
      });
      return row;
    });
  }

  function spread(all) {
    const values = all.filter(Number.isFinite);
    if (!values.length) return null;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, values.length - 1));
    return `${neural.format.number(mean)} ± ${neural.format.number(deviation, 2)}`;
  }

  function fill() {
    if (sheet().hidden) return;
    const runs = neural.selection.rows();
    const names = namesOf(runs);
    filling = true;
    neural.setProps("runs-table", {
      columnDefs: columnsOf(runs),
      rowData: runs.map((run) => rowOf(run, names)),
      selectedRows: { ids: [...neural.state.get().selected] },
    });
    pinGroups(groupRowsOf(runs, names));
    neural.$("table-counts").textContent = neural.format.plural(runs.length, "run");
    setTimeout(() => {
      filling = false;
    }, 400);
  }

  async function pinGroups(rows) {
    const api = await window.dash_ag_grid.getApiAsync("runs-table");
    api.setGridOption("pinnedTopRowData", rows);
  }

  /** Open the table; the grid itself is built the first time. */
  async function open() {
    if (!sheet().hidden) return close();
    sheet().hidden = false;
    if (!asked) {
      asked = true;
      await neural.loadScript(GRID);
      neural.setProps("runs-table-open", { data: 1 });
    }
    for (let tries = 0; tries < 200 && !grid(); tries += 1) await new Promise((done) => setTimeout(done, 25));
    fill();
    return undefined;
  }

  function close() {
    sheet().hidden = true;
  }

  function selected(rows) {
    if (filling || !Array.isArray(rows) || sheet().hidden) return;
    const ids = rows.map((row) => row.id).filter((id) => neural.runs.get(id));
    const { selected: now } = neural.state.get();
    if (ids.length !== now.size || ids.some((id) => !now.has(id))) neural.state.select(ids);
  }

  function differing(button) {
    onlyDiffering = !onlyDiffering;
    button.setAttribute("aria-pressed", String(onlyDiffering));
    fill();
  }

  function groupRows(button) {
    const choose = (value) => () => {
      grouped = value;
      button.setAttribute("aria-pressed", String(Boolean(value)));
      fill();
    };
    const found = neural.grouping.candidates(neural.selection.rows());
    neural.menu.show(button, [{ label: "None", checked: !grouped, work: choose("") }, ...found.map((one) => ({ label: one.label, checked: one.value === grouped, work: choose(one.value) }))], "Group rows by");
  }

  function tag(button) {
    const ids = [...neural.state.get().selected];
    const known = [...new Set(neural.runs.all().flatMap((run) => Object.keys(run.tags)))];
    const give = async (name) => {
      for (const id of ids) await neural.edits.update(id, { tags: { [name]: "true" } });
      neural.toast(`${neural.format.plural(ids.length, "run")} tagged “${name}”`);
    };
    const box = neural.h("input", { class: "form-control form-control-sm", "aria-label": "New tag", placeholder: "New tag" });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !box.value.trim()) return;
      event.stopPropagation();
      neural.menu.close(true);
      give(box.value.trim());
    });
    neural.menu.show(button, [{ heading: `Tag ${neural.format.plural(ids.length, "selected run")}` }, ...known.slice(0, 30).map((name) => ({ label: name, work: () => give(name) }))], "Tag");
    document.querySelector(".menu").prepend(box);
    box.focus();
  }

  function start() {
    const soon = neural.debounce(150, fill);
    neural.state.on("q sort ascending", soon);
    neural.runs.on(soon);
  }

  neural.table = { start, open, close, fill, selected, differing, groupRows, tag, trash: () => neural.edits.trash([...neural.state.get().selected]) };
})((window.neural = window.neural || {}));
