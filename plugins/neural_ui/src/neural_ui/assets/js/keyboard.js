"use strict";
// Keys; none of them works while a person writes.
(function (neural) {
  const KEYS = {
    "[": "panel", t: "theme", r: "refresh", "?": "help", z: "zoom-back", Z: "zoom-reset", f: "full-screen", l: "log", e: "export",
  };

  const writes = (element) => element.closest && element.closest("input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
  const dialog = () => document.querySelector(".modal.show");

  function focusOn(id) {
    if (id === "run-search") neural.state.set({ panel: true });
    else neural.state.set({ tab: "metrics" });
    neural.$(id).focus(); // at once: the next key is meant for it
    neural.$(id).select();
  }

  function inList(event) {
    const run = neural.runlist.activeRun();
    const work = {
      ArrowDown: () => neural.runlist.move(1),
      ArrowUp: () => neural.runlist.move(-1),
      PageDown: () => neural.runlist.move(15),
      PageUp: () => neural.runlist.move(-15),
      Home: () => neural.runlist.move(-1e9),
      End: () => neural.runlist.move(1e9),
      j: () => neural.runlist.move(1),
      k: () => neural.runlist.move(-1),
      " ": () => run && neural.state.toggle(run.id),
      s: () => run && neural.selection.solo(run.id),
      Enter: () => run && neural.state.set({ run: run.id }),
      o: () => run && neural.state.set({ run: run.id }),
      c: () => run && neural.swatches.show(run.id, neural.runlist.row(run.id).querySelector(".swatch")),
    }[event.key];
    if (work) work();
    return Boolean(work);
  }

  /** Move the y axis of the chart with the focus, or with shift zoom it. */
  function inHeight(event, card) {
    if (!card.yrange) return false;
    const [low, high] = card.yrange;
    const step = (high - low) / 5;
    const up = event.key === "ArrowUp" ? 1 : -1;
    neural.zoom.to(card, neural.zoom.windowOf(card), event.shiftKey ? [low + up * step, high - up * step] : [low + up * step, high + up * step]);
    return true;
  }

  /** Move and zoom the chart with the focus. */
  function inPlot(event) {
    const { card } = event.target.closest(".card");
    if (event.key === "ArrowUp" || event.key === "ArrowDown") return inHeight(event, card);
    const range = neural.zoom.windowOf(card) || card.full;
    if (!range) return false;
    const [from, to] = range;
    const span = to - from;
    const next = {
      ArrowLeft: [from - span / 5, to - span / 5],
      ArrowRight: [from + span / 5, to + span / 5],
      "+": [from + span / 4, to - span / 4],
      "-": [from - span / 2, to + span / 2],
    }[event.key];
    if (!next) return false;
    const full = card.full || next;
    const bound = [Math.max(next[0], full[0]), Math.min(next[1], full[1])];
    if (bound[1] > bound[0]) neural.zoom.to(card, bound[0] <= full[0] && bound[1] >= full[1] ? null : bound);
    return true;
  }

  function escape() {
    if (neural.cards.inFull()) neural.cards.fullScreen(neural.cards.inFull());
    else if (!neural.$("runs-sheet").hidden) neural.table.close();
    else if (neural.state.get().run) neural.state.set({ run: "" });
    else if (writes(document.activeElement)) document.activeElement.blur();
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || dialog()) return;
    if (event.key === "Escape") return void escape();
    if (writes(event.target)) return;
    const used = handled(event);
    if (used) event.preventDefault();
  }

  function handled(event) {
    if (event.target.id === "run-list" && inList(event)) return true;
    if (event.target.classList.contains("plot") && event.target.closest(".card") && inPlot(event)) return true;
    if (event.key === "/") focusOn("chart-search");
    else if (event.key === "k") focusOn("run-search");
    else if (event.key === "j") neural.$("run-list").focus();
    else if (event.key === "s" && neural.state.get().hover) neural.selection.solo(neural.state.get().hover);
    else if (/^[1-9]$/.test(event.key)) neural.tabs.nth(Number(event.key));
    else if (KEYS[event.key]) neural.actions.run(KEYS[event.key]);
    else return false;
    return true;
  }

  neural.keyboard = { start: () => document.addEventListener("keydown", onKey) };
})((window.neural = window.neural || {}));
