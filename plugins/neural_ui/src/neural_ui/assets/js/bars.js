"use strict";
// Bars of one metric, the best first, on an axis on which near values differ.
(function (neural) {
  const h = neural.h;

  /** Give the ends of the bars' axis: fitted to the values, or from zero. */
  function axisOf(values, from) {
    const finite = values.filter(Number.isFinite);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    if (from === "zero") return [Math.min(0, low), Math.max(0, high)];
    const air = (high - low) * 0.18 || Math.abs(high) * 0.1 || 1;
    return [low >= 0 ? Math.max(0, low - air) : low - air, high];
  }

  function delta(value, base) {
    if (!Number.isFinite(base) || !Number.isFinite(value)) return "";
    const apart = value - base;
    return apart === 0 ? "0" : `${apart > 0 ? "+" : "−"}${neural.format.number(Math.abs(apart), 3)}`;
  }

  function barOf(row, metric, axis, base, best) {
    const { run, value, step } = row;
    const share = Number.isFinite(value) ? neural.clamp((value - axis[0]) / (axis[1] - axis[0] || 1), 0.006, 1) : 0;
    const fill = h("span", { class: "bar-fill", style: { "--share": share, "--c": neural.colors.of(run) } });
    const isBase = base && base.run.id === run.id;
    const good = base && !isBase && Number.isFinite(value) && value !== base.value ? (neural.runs.better(metric, value, base.value) < 0 ? "good" : "poor") : "";
    return h(
      "li", { class: `bar ${best ? "best" : ""}`, "data-id": run.id, title: `${run.name}: ${neural.format.number(value, 8)}${step !== null && step !== undefined ? ` at step ${neural.format.step(step)}` : ""}` },
      h("button", { type: "button", class: "run-link bar-name", onclick: () => neural.state.set({ run: run.id }) }, neural.names.label(run)),
      h("span", { class: "bar-track" }, fill),
      h("span", { class: "num", text: neural.format.number(value) }),
      h("span", { class: `num delta ${good}`, text: base ? (isBase ? "baseline" : delta(value, base.value)) : "" }),
    );
  }

  async function flip(metric) {
    try {
      await neural.runs.setDirection(metric, neural.runs.direction(metric) === "min" ? "max" : "min");
    } catch (failed) {
      neural.fail(failed);
    }
  }

  /** Make the card of a metric from rows `{run, value, step}`. */
  function card(metric, rows, { from, base }) {
    const sorted = [...rows].sort((a, b) => neural.runs.better(metric, a.value, b.value));
    const axis = axisOf(rows.map((row) => row.value), from);
    const baseRow = base && rows.find((row) => row.run.id === base);
    const lower = neural.runs.direction(metric) === "min";
    const turn = h("button", { type: "button", class: "btn-quiet word direction", title: "Click when it is the other way round; it is kept", text: lower ? "lower is better" : "higher is better", onclick: () => flip(metric) });
    const list = h("ol", { class: `bars ${baseRow ? "with-base" : ""}` }, sorted.map((row, index) => barOf(row, metric, axis, baseRow, index === 0)));
    const scale = h("div", { class: `bar-scale ${baseRow ? "with-base" : ""}`, "aria-hidden": "true" }, h("span", { class: "ends", text: `axis ${neural.format.number(axis[0], 3)} to ${neural.format.number(axis[1], 3)}` }));
    return h("section", { class: "best-card", "data-testid": "best-card", "data-metric": metric, "aria-label": metric }, h("header", {}, h("h3", {}, neural.name(metric)), turn), list, scale);
  }

  neural.bars = { card, axisOf, delta };
})((window.neural = window.neural || {}));
