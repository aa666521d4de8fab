"use strict";
// A chart as a table: for those who read better than they see, and for copying numbers.
(function (neural) {
  const h = neural.h;
  const HEADS = ["Run", "Points", "Last", "Lowest", "at step", "Highest", "at step"];

  function rowOf(card, run) {
    const one = run.metrics[card.metric];
    const f = neural.format;
    const cells = [f.count(one.count), f.number(one.last, 5), f.number(one.min, 5), f.step(one.minStep), f.number(one.max, 5), f.step(one.maxStep)];
    return h("tr", {}, h("th", { scope: "row" }, neural.colors.swatch(run), neural.name(run.name)), cells.map((text) => h("td", { class: "num", text })));
  }

  function fill(card, runs) {
    const head = h("tr", {}, HEADS.map((text, index) => h("th", { scope: "col", class: index ? "num" : "", text })));
    neural.replace(card.table, h("table", { class: "plain" }, h("caption", { class: "visually-hidden", text: `Values of ${card.metric}` }), h("thead", {}, head), h("tbody", {}, runs.map((run) => rowOf(card, run)))));
  }

  function toggle(card) {
    if (card.table) {
      card.table.remove();
      card.table = null;
      card.plot.hidden = false;
      card.draw();
      return;
    }
    card.table = h("div", { class: "card-table", tabindex: "0", role: "region", "aria-label": `${card.metric} as a table` });
    card.plot.hidden = true;
    card.body.append(card.table);
    fill(card, neural.chart.runsOf(card));
    card.table.focus();
  }

  neural.cardtable = { fill, toggle };
})((window.neural = window.neural || {}));
