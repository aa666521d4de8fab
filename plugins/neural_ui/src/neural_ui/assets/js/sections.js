"use strict";
// Which charts there are, in which order, and under which headings.
(function (neural) {
  const h = neural.h;
  const FEW = 8; // charts that need no sections
  const folded = new Set(neural.url.recall("folded", []));

  function sectionOf(metric, few) {
    if (neural.state.get().pinned.includes(metric)) return "Pinned";
    const at = few ? -1 : metric.indexOf("/");
    return at > 0 ? metric.slice(0, at) : "";
  }

  function matching() {
    const text = neural.state.get().charts.trim().toLowerCase();
    const names = neural.runs.metricsOf(neural.runs.charted());
    if (!text) return names;
    const words = text.split(/[\s_]+/);
    return names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  }

  /** Rank a metric: those that people look at first come first, else the order of names holds. */
  const telling = (name) => (/loss|acc|f1|auc|score|perplexity/i.test(name) ? 0 : 1);

  function sections(names) {
    const found = new Map();
    for (const name of names) {
      const section = sectionOf(name, names.length <= FEW);
      if (!found.has(section)) found.set(section, []);
      found.get(section).push(name);
    }
    const rank = (one) => (one === "Pinned" ? 0 : one === "" ? 1 : 2);
    const groups = [...found.entries()].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b, "en"));
    for (const [, metrics] of groups) metrics.sort((a, b) => telling(a) - telling(b));
    return groups;
  }

  /** Make a section that folds, or the bare grid when it is alone. */
  function element(name, cards, alone) {
    const grid = h("div", { class: "grid" }, cards);
    if (alone) return grid;
    const open = !folded.has(name);
    const title = h("summary", {}, neural.icon("chevron"), h("h3", { class: "section-title", text: name || "Other metrics" }), h("span", { class: "counts", text: neural.format.plural(cards.length, "chart") }));
    const details = h("details", { class: "section", open }, title, grid);
    details.addEventListener("toggle", () => {
      folded[details.open ? "delete" : "add"](name);
      neural.url.keep("folded", [...folded]);
    });
    return details;
  }

  /** Give the sections of the page: `[[name, metrics]]`. */
  const shown = () => sections(matching());

  /** Give the names of all charts in the order of the page. */
  const names = () => shown().flatMap(([, metrics]) => metrics);

  neural.sections = { shown, names, telling, element };
})((window.neural = window.neural || {}));
