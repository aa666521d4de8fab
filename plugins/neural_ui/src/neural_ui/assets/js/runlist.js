"use strict";
// The list of runs, which is the legend too: only the rows in sight exist.
(function (neural) {
  const h = neural.h;
  const HEIGHT = 32;
  const SPARE = 4;
  const pool = new Map(); // id -> element
  let active = 0; // the row that the keys move

  const list = () => neural.$("run-list");

  function metricText(run, metric) {
    const one = run.metrics[metric];
    return one ? neural.format.number(neural.runs.best(run, metric).value) : "–";
  }

  function statusOf(run) {
    const status = neural.runs.status(run);
    return h("span", { class: `status-dot ${status}`, title: run.error || status, "aria-hidden": "true" });
  }

  function rowOf(run, state) {
    const chosen = state.selected.has(run.id);
    const box = neural.colors.swatch(run, { class: `swatch box dash-${neural.colors.dashIndex(run)} ${chosen ? "" : "off"}`, title: "Colour", "data-part": "colour" });
    const status = neural.runs.status(run);
    return h(
      "div",
      {
        class: `run-row ${chosen ? "chosen" : ""} ${run.error ? "damaged" : ""}`, role: "option", id: `row-${run.id}`, "data-testid": "run-row", "data-id": run.id,
        "aria-selected": String(chosen),
      },
      box, neural.names.label(run), statusOf(run), neural.spoken(`, ${status}, ${state.listMetric} `),
      h("span", { class: "num", text: metricText(run, state.listMetric) }),
      h("span", { class: "open", title: "Open (enter)", "data-part": "open" }, neural.icon("open")),
    );
  }

  function placed(row, index, count) {
    row.style.transform = `translateY(${index * HEIGHT}px)`;
    row.setAttribute("aria-posinset", String(index + 1));
    row.setAttribute("aria-setsize", String(count));
    if (index === active) row.classList.add("active");
    return row;
  }

  /** Give the rows to an element in this order; those that it has already stay where they are. */
  function fill(host, shown) {
    for (const old of [...host.children]) if (!pool.has(old.dataset.id) || pool.get(old.dataset.id) !== old) old.remove();
    let next = host.firstElementChild;
    for (const row of shown) {
      if (row === next) next = next.nextElementSibling;
      else host.insertBefore(row, next);
    }
  }

  /** Draw the rows in sight; when the list has only been scrolled, those that are there already stay as they are. */
  function draw(scrolled = false) {
    const rows = neural.selection.rows();
    const state = neural.state.get();
    const host = neural.$("run-rows");
    const first = Math.max(0, Math.floor(list().scrollTop / HEIGHT) - SPARE);
    const last = Math.min(rows.length, first + Math.ceil(list().clientHeight / HEIGHT) + 2 * SPARE);
    const before = scrolled ? new Map(pool) : new Map();
    host.style.height = `${rows.length * HEIGHT}px`;
    pool.clear();
    for (let index = first; index < last; index += 1) {
      const run = rows[index];
      pool.set(run.id, before.get(run.id) || placed(rowOf(run, state), index, rows.length));
    }
    fill(host, pool.values());
    if (rows[active] && pool.has(rows[active].id)) list().setAttribute("aria-activedescendant", `row-${rows[active].id}`);
    else list().removeAttribute("aria-activedescendant");
    highlight();
  }

  function highlight() {
    const { hover } = neural.state.get();
    for (const [id, row] of pool) row.classList.toggle("hover", id === hover);
  }

  function words() {
    const state = neural.state.get();
    const shown = neural.selection.rows().length;
    const archived = neural.runs.all().filter(neural.runs.archived).length;
    const asked = neural.filter.parse(state.q).archived;
    const hidden = asked ? 0 : archived;
    const total = neural.runs.info().total - hidden;
    const here = neural.runs.all().length - hidden; // fewer while the list fills in
    const found = shown === here ? "" : ` · ${shown.toLocaleString("en-US")} found`;
    neural.$("run-counts").textContent = `${state.selected.size.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} selected${found}`;
    neural.$("archived").hidden = !archived;
    neural.$("archived").textContent = asked ? "Back to the runs that are not archived" : `${neural.format.plural(archived, "run")} archived`;
    neural.$("search-problem").textContent = neural.selection.problem();
    const arrow = (sort) => (state.sort === sort ? (state.ascending ? " ↑" : " ↓") : "");
    neural.replace(neural.$("list-metric"), h("span", { class: "ellipsis", text: state.listMetric || "Metric" }), h("span", { text: arrow("metric") }), neural.icon("chevron-down"));
    document.querySelector('[data-sort="name"]').textContent = `Run${arrow("name")}`;
    document.querySelector('[data-sort="name"]').title = state.sort === "newest" ? "Newest first. Sort by name" : "Sort by name";
  }

  function arrange() {
    neural.selection.arrange();
    active = neural.clamp(active, 0, Math.max(0, neural.selection.rows().length - 1));
    draw();
    words();
  }

  function metricMenu(anchor) {
    const state = neural.state.get();
    const by = (patch) => () => neural.state.set(patch);
    neural.menu.show(anchor, [
      { heading: "Order" },
      { label: "Newest first", checked: state.sort === "newest", work: by({ sort: "newest", ascending: false }) },
      { label: "Best first", checked: state.sort === "metric" && !state.ascending, work: by({ sort: "metric", ascending: false }) },
      { label: "Worst first", checked: state.sort === "metric" && state.ascending, work: by({ sort: "metric", ascending: true }) },
      { heading: "Metric" },
      ...neural.runs.metricNames().slice(0, 300).map((name) => ({ label: name, checked: name === state.listMetric, work: by({ listMetric: name }) })),
    ], "Metric and order of the list");
  }

  function onClick(event) {
    const row = event.target.closest(".run-row");
    if (!row) return;
    const { id } = row.dataset;
    const part = event.target.closest("[data-part]");
    active = neural.selection.rows().findIndex((run) => run.id === id);
    if (event.altKey) neural.selection.solo(id);
    else if (part && part.dataset.part === "colour") neural.swatches.show(id, part);
    else if (part && part.dataset.part === "open") neural.state.set({ run: id });
    else neural.state.toggle(id);
  }

  /** Move the active row; the list scrolls with it. */
  function move(by) {
    const rows = neural.selection.rows();
    active = neural.clamp(active + by, 0, Math.max(0, rows.length - 1));
    const top = active * HEIGHT;
    if (top < list().scrollTop) list().scrollTop = top;
    if (top + HEIGHT > list().scrollTop + list().clientHeight) list().scrollTop = top + HEIGHT - list().clientHeight;
    neural.state.set({ hover: rows[active] ? rows[active].id : null });
    draw();
  }

  function sortByName() {
    const { sort, ascending } = neural.state.get();
    if (sort !== "name") neural.state.set({ sort: "name", ascending: true });
    else neural.state.set(ascending ? { ascending: false } : { sort: "newest" });
  }

  function start() {
    arrange();
    list().addEventListener("scroll", neural.frame(() => draw(true)), { passive: true });
    list().addEventListener("click", onClick);
    list().addEventListener("dblclick", (event) => event.target.closest(".run-row") && neural.state.set({ run: event.target.closest(".run-row").dataset.id }));
    list().addEventListener("pointerover", (event) => {
      const row = event.target.closest(".run-row");
      neural.state.set({ hover: row && neural.state.get().selected.has(row.dataset.id) ? row.dataset.id : null });
    });
    list().addEventListener("pointerleave", () => neural.state.set({ hover: null }));
    document.querySelector('[data-sort="name"]').addEventListener("click", sortByName);
    neural.$("list-metric").addEventListener("click", () => metricMenu(neural.$("list-metric")));
    neural.state.on("q sort ascending", () => {
      list().scrollTop = 0;
      active = 0;
      arrange();
    });
    neural.state.on("listMetric", () => (neural.state.get().sort === "metric" ? arrange() : (draw(), words())));
    neural.state.on("selected", () => (draw(), words()));
    neural.state.on("hover", highlight);
    neural.runs.on(neural.debounce(50, arrange));
    new ResizeObserver(neural.frame(draw)).observe(list());
  }

  neural.runlist = { start, draw, move, arrange, activeRun: () => neural.selection.rows()[active], row: (id) => pool.get(id) };
})((window.neural = window.neural || {}));
