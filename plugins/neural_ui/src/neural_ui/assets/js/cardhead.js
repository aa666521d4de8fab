"use strict";
// The frame of a chart: its title, what is in it, its buttons, and the same in words.
(function (neural) {
  const h = neural.h;

  function build(card) {
    card.title = h("h3", { class: "card-title" }, neural.name(card.metric));
    card.subtitle = h("span", { class: "card-subtitle" });
    card.badge = h("span", { class: "badge-note", hidden: true });
    card.buttons = h("div", { class: "card-buttons" });
    card.plot = h("div", { class: "plot", role: "img", tabindex: "0", "aria-label": `${card.metric}, loading` });
    card.body = h("div", { class: "card-body" }, card.plot);
    card.problem = h("div", { class: "card-problem", role: "alert", hidden: true });
    const head = h("header", { class: "card-head" }, card.title, card.subtitle, card.badge, h("div", { class: "spring" }), card.buttons);
    card.el = h("section", { class: "card", "data-testid": "card", "data-metric": card.metric, "aria-label": card.metric }, head, card.body, card.problem);
    card.el.card = card;
  }

  /** Add the buttons; only charts that have been in sight carry them. */
  function furnish(card) {
    if (card.buttons.childElementCount) return;
    card.logButton = h("button", { type: "button", class: "btn-quiet word", text: "Log", title: "Logarithmic y axis (l)", "aria-pressed": "false", onclick: () => toggleLog(card) });
    card.pinButton = neural.iconButton("pin", `Pin ${card.metric} to the top`, () => togglePin(card), { "aria-pressed": "false" });
    card.fullButton = neural.iconButton("expand", `Show ${card.metric} in full screen (f)`, () => neural.cards.fullScreen(card));
    const more = neural.iconButton("more", `More for ${card.metric}`, () => neural.exporting.cardMenu(card, more), { "aria-haspopup": "menu" });
    card.resetButton = h("button", { type: "button", class: "btn-quiet word reset", text: "Reset zoom", title: "Show everything again (double click, shift+z)", onclick: () => neural.zoom.reset(card) });
    card.buttons.append(card.resetButton, card.logButton, card.pinButton, card.fullButton, more);
    marks(card);
  }

  function toggle(list, name) {
    return list.includes(name) ? list.filter((one) => one !== name) : [...list, name];
  }

  const toggleLog = (card) => {
    card.y = null;
    neural.state.set({ logs: toggle(neural.state.get().logs, card.metric) });
  };
  const togglePin = (card) => neural.state.set({ pinned: toggle(neural.state.get().pinned, card.metric) });

  function marks(card) {
    if (!card.logButton) return;
    card.logButton.setAttribute("aria-pressed", String(neural.chart.isLog(card)));
    card.pinButton.setAttribute("aria-pressed", String(neural.state.get().pinned.includes(card.metric)));
  }

  /** Say in one sentence what the chart shows. */
  function sentence(card, runs) {
    if (!runs.length) return `${card.metric}: none of the selected runs has this metric`;
    const sorted = [...runs].sort((a, b) => neural.runs.better(card.metric, neural.runs.best(a, card.metric).value, neural.runs.best(b, card.metric).value));
    const best = neural.runs.best(sorted[0], card.metric);
    return `${card.metric}, ${neural.format.plural(runs.length, "run")}, best ${sorted[0].name} ${neural.format.number(best.value)} at step ${neural.format.step(best.step)}`;
  }

  function hiddenNote(card) {
    if (!card.built) return "";
    const nan = card.data ? [...card.data.runs.values()].reduce((sum, one) => sum + (one.n_nan || 0), 0) : 0;
    const below = card.built.lines.reduce((sum, line) => sum + line.hidden, 0);
    const troubled = card.data ? [...card.data.runs.values()].filter((one) => one.error) : [];
    const damaged = troubled.filter((one) => one.x && one.x.length).length; // drawn, and perhaps wrong
    const lost = troubled.length - damaged;
    const notes = [];
    if (lost) notes.push(`${neural.format.plural(lost, "run")} could not be read`);
    if (damaged) notes.push(`${neural.format.plural(damaged, "run")} damaged, may be wrong`);
    if (below) notes.push(`${neural.format.plural(below, "point")} ≤ 0 hidden`);
    if (nan) notes.push(`${neural.format.plural(nan, "value")} NaN or infinite`);
    card.badge.title = [notes.join(" · "), ...troubled.map((one) => one.error)].join("\n");
    return notes.join(" · ");
  }

  function update(card, runs) {
    const points = runs.reduce((sum, run) => sum + run.metrics[card.metric].count, 0);
    card.subtitle.textContent = runs.length ? `${neural.format.plural(runs.length, "run")} · ${neural.format.count(points)} points` : "no selected run has it";
    card.plot.setAttribute("aria-label", sentence(card, runs));
    const note = hiddenNote(card);
    card.badge.hidden = !note;
    card.badge.textContent = note;
    card.el.classList.toggle("none", !runs.length);
    card.el.classList.toggle("zoomed", Boolean(neural.zoom.windowOf(card) || card.y));
    marks(card);
    if (card.table) neural.cardtable.fill(card, runs);
  }

  function problem(card, message) {
    card.problem.hidden = !message;
    card.problem.textContent = message;
    card.el.classList.remove("loading");
  }

  neural.cardhead = { build, furnish, update, marks, problem, sentence, toggleLog, togglePin };
})((window.neural = window.neural || {}));
