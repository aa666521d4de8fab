"use strict";
// Which parameters differ from the baseline; identical ones are folded.
(function (neural) {
  const h = neural.h;
  const TINTS = 5;

  const MISSING = "–";
  const text = (run, name) => (name in run.params ? neural.format.value(run.params[name]) : MISSING);

  /** Give the rows in two lists: `{differing, identical}`, each `{name, values}`. */
  function compare(runs) {
    const out = { differing: [], identical: [] };
    for (const name of neural.runs.paramsOf(runs)) {
      const values = runs.map((run) => text(run, name));
      out[new Set(values).size > 1 ? "differing" : "identical"].push({ name, values });
    }
    return out;
  }

  /** Give each value its tint: 0 for the baseline's, an own one for what several runs share, "own" for the rest. */
  function tints(values) {
    const seen = new Map([[values[0], 0]]);
    const shared = new Set(values.filter((value, index) => values.indexOf(value) !== index && value !== values[0] && value !== MISSING));
    let next = 0;
    for (const value of shared) seen.set(value, (next++ % TINTS) + 1);
    return values.map((value) => seen.get(value) ?? "own");
  }

  function cellOf(value, tint, run, name) {
    return h("td", { class: `tint-${tint}${value === MISSING ? " missing" : ""}`, title: `${name} = ${value} (click to copy)`, "data-copy": value, text: value });
  }

  function rowOf({ name, values }, runs) {
    const marks = tints(values);
    return h("tr", { "data-param": name }, h("th", { scope: "row", title: name }, neural.name(name)), values.map((value, index) => cellOf(value, marks[index], runs[index], name)));
  }

  const baseText = (run, base) => (run === base ? `${run.name} is the baseline` : `Make ${run.name} the baseline`);

  function headOf(runs, count, all) {
    const base = runs[0];
    const columns = runs.map((run) =>
      h(
        "th", { scope: "col", class: run === base ? "base" : "", "aria-sort": null },
        h("button", { type: "button", class: "run-link", title: baseText(run, base), onclick: () => neural.state.set({ base: run.id }) }, neural.colors.swatch(run), run === base ? null : neural.spoken("Make "), neural.names.label(run), run === base ? null : neural.spoken(" the baseline")),
        run === base ? h("span", { class: "tag-base", text: "baseline" }) : null,
      ),
    );
    return h("tr", {}, h("th", { class: "corner", scope: "col", text: `${count} of ${all} differ` }), columns);
  }

  /** Make the table; the first run is the baseline. */
  function table(runs, showIdentical, onFold) {
    const { differing, identical } = compare(runs);
    const body = h("tbody", {}, differing.map((row) => rowOf(row, runs)));
    if (identical.length) {
      const fold = h("button", { type: "button", class: "fold", "aria-expanded": String(showIdentical), onclick: onFold }, neural.icon("chevron"), neural.format.plural(identical.length, "identical parameter"));
      body.append(h("tr", { class: "fold-row" }, h("th", { colspan: String(runs.length + 1), scope: "rowgroup" }, fold)));
      if (showIdentical) body.append(...identical.map((row) => rowOf(row, runs)));
    }
    const all = differing.length + identical.length;
    const element = h("table", { class: "diff", "data-testid": "diff" }, h("caption", { class: "visually-hidden", text: "Hyperparameters of the selected runs" }), h("thead", {}, headOf(runs, differing.length, all)), body);
    element.addEventListener("click", (event) => {
      const cell = event.target.closest("[data-copy]");
      if (cell) neural.copy(cell.dataset.copy, "Value");
    });
    return h("div", { class: "diff-scroll", tabindex: "0", role: "region", "aria-label": "What differs" }, element);
  }

  neural.diff = { compare, tints, table };
})((window.neural = window.neural || {}));
