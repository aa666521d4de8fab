"use strict";
// Names of runs where there is little room: what all shown names share at their ends is left out first.
(function (neural) {
  const ROOM = 20; // characters that always fit
  const BREAK = /[-_ /.:]/;
  let ends = null; // [prefix, suffix] that the selected runs share

  /** Give how many characters all names share at their start, up to the last mark between words. */
  function shared(names) {
    const first = names[0];
    let n = 0;
    while (n < first.length && names.every((name) => name[n] === first[n])) n += 1;
    while (n > 0 && !BREAK.test(first[n - 1])) n -= 1;
    return n;
  }

  const turned = (text) => [...text].reverse().join("");

  function common() {
    const names = neural.runs.selected().map((run) => run.name);
    if (new Set(names).size < 2) return [0, 0];
    return [shared(names), shared(names.map(turned))];
  }

  /** Give the part of a run's name that tells it apart; all of it when it is short. */
  function short(name) {
    if (name.length <= ROOM) return name;
    ends = ends || common();
    const inner = name.slice(ends[0], name.length - ends[1]);
    return inner.length >= 2 && inner.length < name.length ? `${ends[0] ? "…" : ""}${inner}${ends[1] ? "…" : ""}` : name;
  }

  const forget = () => {
    ends = null;
  };
  neural.state.on("selected", forget);

  /** Make the name of a run for a narrow place; the whole name is in its tooltip. */
  function label(run) {
    const seen = short(run.name);
    const name = neural.h("span", { class: "name", title: run.name, "aria-hidden": seen === run.name ? null : "true" }, ...neural.nameParts(seen));
    return seen === run.name ? [name] : [name, neural.spoken(run.name)];
  }

  neural.names = { short, label, forget, shared };
})((window.neural = window.neural || {}));
