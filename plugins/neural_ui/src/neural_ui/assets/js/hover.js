"use strict";
// The pointer over a chart: crosshair in all charts, the nearest run stands out, one small tooltip.
(function (neural) {
  const h = neural.h;
  const ROWS = 9;
  const NEAR = 14; // pixels to a line that count as pointing at it

  function rowsAt(card, x, y) {
    const rows = [];
    for (const line of card.built.lines) {
      const index = neural.stats.nearest(line.x, x);
      if (index < 0 || !Number.isFinite(line.y[index])) continue;
      const apart = Math.abs(card.map.px(line.x[index]) - card.map.px(x));
      const ended = index === 0 || index === line.x.length - 1;
      if (ended && apart > 24) continue; // the run has no value here
      rows.push({ line, index, away: Math.abs(card.map.py(line.y[index]) - y) });
    }
    return rows.sort((a, b) => a.away - b.away);
  }

  function extremes({ line, index }, axis) {
    const { series } = line;
    const f = neural.format;
    if (line.group) return `${line.n} runs · ${f.number(line.low[index], 5)} to ${f.number(line.high[index], 5)}`;
    if (!series.min) return null;
    const at = (name) => (series[name] ? ` at ${f.position(series[name][index], axis).replace("step ", "")}` : "");
    const mean = neural.state.get().smooth ? `mean ${f.number(series.mean[index])} · ` : "";
    return `${mean}min ${f.number(series.min[index])}${at("at_min")} · max ${f.number(series.max[index])}${at("at_max")}`;
  }

  function rowOf(row, first, axis) {
    const key = h("span", { class: `line-key dash-${neural.colors.dashes.indexOf(row.line.dash)}` });
    key.style.setProperty("--c", row.line.color);
    const text = first ? extremes(row, axis) : null;
    const main = h("div", { class: first ? "tip-row first" : "tip-row" }, key, neural.h("span", { class: "name", title: row.line.name }, ...neural.nameParts(neural.names.short(row.line.name))), h("span", { class: "num", text: neural.format.number(row.line.y[row.index], 5) }));
    return text ? [main, h("div", { class: "tip-more", text })] : [main];
  }

  /** Put the tooltip beside the pointer, under it, and never outside the window. */
  function place(tip, event) {
    const { width, height } = tip.getBoundingClientRect();
    const right = event.clientX + 18 + width <= window.innerWidth - 8;
    const left = right ? event.clientX + 18 : event.clientX - 18 - width;
    const below = event.clientY + 22 + height <= window.innerHeight - 8;
    const top = below ? event.clientY + 22 : event.clientY - 14 - height;
    tip.style.left = `${neural.clamp(left, 8, Math.max(8, window.innerWidth - width - 8))}px`;
    tip.style.top = `${neural.clamp(top, 8, Math.max(8, window.innerHeight - height - 8))}px`;
  }

  function show(card, event, rows, x) {
    const tip = neural.$("tooltip");
    const axis = neural.state.get().x;
    const nearest = rows[0];
    const shown = rows.slice(0, ROWS).sort((a, b) => b.line.y[b.index] - a.line.y[a.index]);
    const spike = neural.overlay.spikeAt(card.overlay, card.map, ...card.pointer);
    neural.replace(
      tip,
      h("div", { class: "tip-head" }, h("span", { class: "tip-metric", text: card.metric }), h("span", { text: neural.format.position(nearest ? nearest.line.x[nearest.index] : x, axis) })),
      spike && h("div", { class: "tip-spike", text: `${spike.line.name}: ${spike.up ? "max" : "min"} ${neural.format.number(spike.value, 6)} at ${neural.format.position(spike.x, axis)}. Click to zoom.` }),
      shown.flatMap((row) => rowOf(row, row === nearest, axis)),
      rows.length > ROWS && h("div", { class: "tip-more", text: `${rows.length - ROWS} more` }),
    );
    tip.hidden = false;
    place(tip, event);
  }

  function move(card, event) {
    if (!neural.$("tooltip")) return undefined;
    if (!card.map || event.buttons) return hide(card);
    const box = card.plot.getBoundingClientRect();
    card.pointer = [event.clientX - box.left, event.clientY - box.top];
    const [px, py] = card.pointer;
    const { left, width, top, height } = card.map.box;
    if (px < left || px > left + width || py < top - 4 || py > top + height) return hide(card);
    const x = card.map.atX(px);
    const rows = rowsAt(card, x, py);
    const nearest = rows[0];
    const seen = nearest ? nearest.line.x[nearest.index] : x;
    neural.cards.crosshair(seen);
    neural.overlay.point(card.overlay, card.map, nearest && nearest.line, nearest ? nearest.index : -1);
    neural.state.set({ hover: nearest && nearest.away < NEAR ? nearest.line.id : null });
    show(card, event, rows, x);
    return undefined;
  }

  function hide(card) {
    if (neural.$("tooltip")) neural.$("tooltip").hidden = true;
    if (card.overlay) card.overlay.point.style.display = "none";
    neural.cards.crosshair(null);
    neural.state.set({ hover: null });
  }

  /** Let the lines of one run, or of its group, stand out in one chart. */
  function highlight(card, id) {
    if (!card.built || !card.drawn) return;
    const line = id && card.built.lines.find((one) => one.id === id || one.ids.includes(id));
    card.plot.classList.toggle("dimmed", Boolean(line));
    card.plot.querySelectorAll(".trace.on").forEach((one) => one.classList.remove("on"));
    if (line) card.plot.querySelectorAll(`.trace${line.uid}, .trace${line.uid}b`).forEach((one) => one.classList.add("on"));
    const band = line && !card.built.bands && line.banded && neural.state.get().band !== "off";
    neural.overlay.band(card.overlay, card.map, band ? line : null);
  }

  function attach(card) {
    let event = null;
    const soon = neural.frame(() => event && move(card, event));
    card.plot.addEventListener("pointermove", (now) => {
      event = now;
      soon();
    });
    card.plot.addEventListener("pointerleave", () => {
      event = null;
      hide(card);
    });
  }

  neural.hover = { attach, highlight, hide };
})((window.neural = window.neural || {}));
