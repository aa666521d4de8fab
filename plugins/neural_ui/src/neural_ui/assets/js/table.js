"use strict";
// The table of all runs, in Dash's AG Grid: this module gives it rows and columns and takes its selection and order.
(function (neural) {
  const GRID = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js";
  const { namesOf, keysOf, chosenOf, textOf, orderText, columnsOf, rowOf, groupRowsOf } = neural.tablerows;
  const OWN = ["api", "apiSelectAll", "gridInitializing", "rowDataChanged"]; // why the selection changed: the page has set it

  let grid = null; // of AG Grid, once it is there
  let asked = false;
  let shown = ""; // the columns that the grid has

  const sheet = () => neural.$("runs-sheet");
  const button = (name) => document.querySelector(`[data-action="table-${name}"]`);

  function fill() {
    if (!grid || sheet().hidden) return;
    const runs = neural.selection.rows();
    const names = namesOf(runs);
    const columns = columnsOf(runs, names);
    const now = JSON.stringify(columns);
    neural.setProps("runs-table", {
      ...(now === shown ? {} : { columnDefs: columns }), // columns that stay keep their widths and places
      rowData: runs.map((run) => rowOf(run, names)),
      selectedRows: { ids: [...neural.state.get().selected] },
    });
    shown = now;
    grid.setGridOption("pinnedTopRowData", groupRowsOf(runs, names));
    words();
  }

  /** Say in the bar what the table shows and what its buttons would do. */
  function words() {
    const { selected, differ, rows: grouped, cols } = neural.state.get();
    const chosen = neural.runs.selected();
    const away = chosen.length > 0 && chosen.every(neural.runs.archived);
    neural.$("table-counts").textContent = `${neural.format.plural(neural.selection.rows().length, "run")}, ${selected.size.toLocaleString("en-US")} selected`;
    button("differing").setAttribute("aria-pressed", String(differ));
    button("group").setAttribute("aria-pressed", String(Boolean(grouped)));
    button("columns").setAttribute("aria-pressed", String(Boolean(cols)));
    button("archive").textContent = away ? "Unarchive" : "Archive";
    for (const name of ["tag", "archive", "trash"]) button(name).disabled = !chosen.length;
  }

  /** Build the grid, the first time that it is wanted. */
  async function build() {
    if (asked) return;
    asked = true;
    await neural.loadScript(GRID);
    neural.setProps("runs-table-open", { data: 1 });
    while (!neural.$("runs-table")) await new Promise((done) => setTimeout(done, 20));
    grid = await window.dash_ag_grid.getApiAsync("runs-table");
    grid.addEventListener("cellClicked", open);
    grid.addEventListener("cellKeyDown", (event) => event.event.key === "Enter" && open(event));
    grid.addEventListener("sortChanged", ({ source }) => source === "uiColumnSorted" && neural.state.set({ order: orderText(grid.getColumnState()) }));
    grid.addEventListener("selectionChanged", ({ source }) => OWN.includes(source) || selected(grid.getSelectedRows()));
  }

  /** Open the run whose name was clicked. */
  function open({ column, data }) {
    if (column.getColId() === "name" && neural.runs.get(data.id)) neural.state.set({ run: data.id });
  }

  /** Draw the name of a run with its colour; AG Grid asks for it by the name `RunName`. */
  function RunName({ data, value }) {
    const run = neural.runs.get(data.id);
    const { createElement } = window.React;
    const box = run && createElement("span", { className: `swatch dash-${neural.colors.dashIndex(run)}`, style: { "--c": neural.colors.of(run) } });
    return createElement("span", { className: run ? "table-run" : "" }, box, value);
  }

  window.dashAgGridComponentFunctions = { ...window.dashAgGridComponentFunctions, RunName };

  async function show() {
    const { table } = neural.state.get();
    sheet().hidden = !table;
    if (!table) return;
    await build();
    fill();
  }

  /** Take the grid's selection over; what it does not show, as a search leaves it out, stays as it is. */
  function selected(rows) {
    if (sheet().hidden) return;
    const { selected: now } = neural.state.get();
    const shown = new Set(neural.selection.rows().map((run) => run.id));
    const ids = [...[...now].filter((id) => !shown.has(id)), ...rows.map((row) => row.id).filter((id) => neural.runs.get(id))];
    if (ids.length !== now.size || ids.some((id) => !now.has(id))) neural.state.select(ids);
  }

  function groupRows(anchor) {
    const { rows: grouped } = neural.state.get();
    const choose = (value) => () => neural.state.set({ rows: value });
    const found = neural.grouping.candidates(neural.selection.rows());
    neural.menu.show(anchor, [{ label: "None", checked: !grouped, work: choose("") }, ...found.map((one) => ({ label: one.label, checked: one.value === grouped, work: choose(one.value) }))], "Group rows by");
  }

  const titleOf = (key) => (/^(p|best):/.test(key) ? key.slice(key.indexOf(":") + 1) : { status: "Status", started: "Started", duration: "Duration", tags: "Tags" }[key]);

  /** Let a person choose the columns. */
  function columnMenu(anchor) {
    const keys = keysOf(namesOf(neural.selection.rows())).filter((key) => key !== "name");
    const now = () => chosenOf(neural.state.get().cols, keys);
    const put = (chosen) => neural.state.set({ cols: textOf(chosen, keys) });
    const turn = (key) => () => {
      const chosen = now();
      if (!chosen.delete(key)) chosen.add(key);
      put(chosen);
      return chosen.has(key);
    };
    const kinds = [["", (key) => !key.includes(":")], ["Metrics", (key) => key.startsWith("best:")], ["Parameters", (key) => key.startsWith("p:")]];
    neural.menu.show(anchor, [
      { label: "All columns", work: () => put(new Set(keys)) },
      { label: "Only names", work: () => put(new Set()) },
      { line: true },
      ...kinds.flatMap(([title, is]) => [title && keys.some(is) ? { heading: title } : null, ...keys.filter(is).map((key) => ({ label: titleOf(key), checked: now().has(key), keep: true, work: turn(key) }))]),
    ].filter(Boolean), "Columns");
  }

  function tag(anchor) {
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
    neural.menu.show(anchor, [{ heading: `Tag ${neural.format.plural(ids.length, "selected run")}` }, ...known.slice(0, 30).map((name) => ({ label: name, work: () => give(name) }))], "Tag");
    document.querySelector(".menu").prepend(box);
    box.focus();
  }

  function archive() {
    const runs = neural.runs.selected();
    const away = !runs.every(neural.runs.archived);
    return neural.edits.archive(runs.filter((run) => neural.runs.archived(run) !== away).map((run) => run.id), away);
  }

  function start() {
    const soon = neural.debounce(150, fill);
    neural.state.on("q sort ascending", soon);
    neural.state.on("cols rows differ", fill);
    neural.state.on("selected", () => sheet().hidden || words());
    neural.state.on("table", show);
    neural.state.on("tab", neural.table.close);
    neural.runs.on(soon);
    show();
  }

  const turned = (name) => () => neural.state.set({ [name]: !neural.state.get()[name] });

  neural.table = { start, toggle: turned("table"), close: () => neural.state.set({ table: false }), fill, differing: turned("differ"), groupRows, columnMenu, tag, archive, trash: () => neural.edits.trash([...neural.state.get().selected]) };
})((window.neural = window.neural || {}));
