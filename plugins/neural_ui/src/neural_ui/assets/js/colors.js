"use strict";
// One colour and one dash for each run, the same in every view and after every filter, reload and restart.
(function (neural) {
  const DASHES = ["solid", "dash", "dot"];
  let read = null;

  function theme() {
    if (read) return read;
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(name).trim();
    read = {
      runs: Array.from({ length: 10 }, (_, index) => get(`--run-${index}`)),
      text: get("--text-2"),
      grid: get("--grid"),
      line: get("--border-strong"),
      surface: get("--surface"),
      faint: get("--faint"),
    };
    return read;
  }

  /** Give the colour of an index, as in the palette; it goes round after ten. */
  const at = (index) => theme().runs[((index % 10) + 10) % 10];

  const of = (run) => (run.color && /^#[0-9a-f]{6}$/i.test(run.color) ? run.color : at(run.ordinal));

  const dashIndex = (run) => Math.floor(Math.max(0, run.ordinal) / 10) % 3;
  const dash = (run) => DASHES[dashIndex(run)];

  function alpha(color, opacity) {
    const value = Number.parseInt(color.slice(1, 7), 16);
    return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${opacity})`;
  }

  /** Forget the colours of the old theme. */
  const refresh = () => {
    read = null;
  };

  /** Make the box that stands for a run: its colour, and its dash when it has one. */
  function swatch(run, more) {
    const box = neural.h("span", { class: `swatch dash-${dashIndex(run)}`, "aria-hidden": "true", ...more });
    box.style.setProperty("--c", of(run));
    return box;
  }

  neural.colors = { theme, at, of, dash, dashIndex, alpha, refresh, swatch };
})((window.neural = window.neural || {}));
