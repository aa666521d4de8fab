"use strict";
// The Hyperparameters tab: what differs, how parameters go together, and one of them against a metric.
(function (neural) {
  const h = neural.h;
  const AXES = 7;
  const MOST_LINES = 1000;
  let identical = false;
  let chosenParam = "";
  let chosenAxes = null;

  /** Give the selected runs, the baseline first. */
  function ordered() {
    const runs = neural.runs.charted();
    const base = runs.find((run) => run.id === neural.state.get().base);
    return base ? [base, ...runs.filter((run) => run !== base)] : runs;
  }

  const metric = (runs) => neural.state.get().listMetric || neural.runs.mainMetric(runs);

  /** Give the parameters that differ between runs, those that most runs have first. */
  function varying(runs) {
    const names = neural.runs.paramsOf(runs);
    const spread = (name) => new Set(runs.map((run) => neural.format.value(run.params[name]))).size;
    const having = (name) => runs.filter((run) => name in run.params).length;
    return names.filter((name) => spread(name) > 1).sort((a, b) => having(b) - having(a));
  }

  /** Give how many axes have room beside each other, unless a person has chosen some. */
  const room = () => neural.clamp(Math.floor(neural.$("hyperparameters").clientWidth / 80) - 1, 2, AXES);

  function columnsOf(all, runs) {
    const names = (chosenAxes || varying(runs).slice(0, room())).filter((name) => all.some((run) => name in run.params));
    const columns = names.map((name) => ({ name, read: (run) => run.params[name] }));
    const last = metric(runs);
    if (last) columns.push({ name: last, read: (run) => neural.runs.best(run, last).value });
    return columns;
  }

  function axesButton(runs, redraw) {
    const button = h("button", { type: "button", class: "btn-quiet word", "aria-haspopup": "menu" }, "Axes", neural.icon("chevron-down"));
    button.addEventListener("click", () => {
      const names = neural.runs.paramsOf(neural.runs.current());
      const shown = columnsOf(neural.runs.current(), runs).map((one) => one.name);
      neural.menu.show(button, names.map((name) => ({
        label: name, checked: shown.includes(name), keep: true,
        work: () => {
          const now = columnsOf(neural.runs.current(), runs).map((one) => one.name).filter((one) => names.includes(one));
          chosenAxes = now.includes(name) ? now.filter((one) => one !== name) : [...now, name].slice(-12);
          redraw();
          return chosenAxes.includes(name);
        },
      })), "Axes");
    });
    return button;
  }

  function parallelCard(runs) {
    const place = h("div", { class: "pc-host" });
    const note = h("span", { class: "card-subtitle" });
    const use = h("button", { type: "button", class: "btn-quiet framed", hidden: true });
    const clear = h("button", { type: "button", class: "btn-quiet word", text: "Clear", hidden: true });
    const all = neural.runs.current().filter((run) => !run.error).slice(-MOST_LINES);
    const redraw = () => {
      const kept = neural.parallel.draw(place, all, neural.state.get().selected, columnsOf(all, runs), redraw);
      const brushed = neural.parallel.brushes.size > 0;
      note.textContent = brushed ? `${kept.length} of ${neural.format.plural(all.length, "run")}` : "drag on an axis to filter";
      use.textContent = `Select these ${kept.length}`;
      use.hidden = clear.hidden = !brushed;
      use.onclick = () => neural.state.select(kept.slice(0, 500).map((run) => run.id));
    };
    clear.addEventListener("click", () => {
      neural.parallel.clear();
      redraw();
    });
    requestAnimationFrame(() => place.isConnected && redraw());
    return h("section", { class: "card tall", "aria-label": "Parallel coordinates", "data-testid": "parallel" }, h("header", { class: "card-head" }, h("h3", { class: "card-title", text: "Parallel coordinates" }), note, h("div", { class: "spring" }), use, clear, axesButton(runs, redraw)), place);
  }

  function scatterCard(runs) {
    const place = h("div", { class: "scatter-host" });
    const names = varying(neural.runs.current().slice(-MOST_LINES));
    const numbers = names.filter((name) => runs.some((run) => typeof run.params[name] === "number"));
    let param = names.includes(chosenParam) ? chosenParam : names.find((name) => /(^|[._/])(lr|learning_rate)$/i.test(name)) || numbers[0] || names[0] || "";
    const last = metric(runs);
    const select = h("select", { class: "form-select form-select-sm select", id: "scatter-param", "aria-label": "Parameter" }, names.map((name) => h("option", { value: name, text: name, selected: name === param })));
    const note = h("span", { class: "card-subtitle" });
    const redraw = () => {
      const shown = neural.scatter.draw(place, neural.runs.current().filter((run) => !run.error), neural.state.get().selected, param, last);
      note.textContent = `${neural.format.plural(shown, "run")}, selected in colour`;
    };
    select.addEventListener("change", () => {
      param = chosenParam = select.value;
      redraw();
    });
    requestAnimationFrame(() => place.isConnected && param && last && redraw());
    return h("section", { class: "card tall", "aria-label": "Scatter", "data-testid": "scatter" }, h("header", { class: "card-head" }, select, h("h3", { class: "card-title" }, "× ", neural.name(last)), note), place);
  }

  function draw() {
    const host = neural.$("hyperparameters");
    const runs = ordered();
    if (!runs.length) return neural.replace(host, h("p", { class: "nothing", text: "Select runs in the list to compare their parameters." }));
    if (!neural.runs.paramsOf(runs).length) return neural.replace(host, h("p", { class: "nothing", text: "The selected runs have no hyperparameters." }));
    const fold = () => {
      identical = !identical;
      neural.tabs.touch("hyperparameters");
    };
    const head = h("div", { class: "view-head" }, h("h3", { class: "view-title", text: "What differs" }), h("p", { class: "lead", text: "Runs with the same tint share a value; no tint is the baseline’s. Click a run to make it the baseline, a value to copy it." }));
    return neural.replace(host, head, neural.diff.table(runs, identical, fold), h("div", { class: "two" }, parallelCard(runs), scatterCard(runs)));
  }

  function start() {
    neural.tabs.register("hyperparameters", draw);
    neural.state.on("base listMetric", () => neural.tabs.touch("hyperparameters"));
    neural.state.on("hover", ({ hover }) => document.querySelectorAll(".pc-run").forEach((line) => line.classList.toggle("hover", line.dataset.id === hover)));
  }

  neural.hyperparameters = { start };
})((window.neural = window.neural || {}));
