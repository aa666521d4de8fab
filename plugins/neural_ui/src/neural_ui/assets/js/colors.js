"use strict";
// One colour and one dash for each run, the same in every view and after every filter, reload and restart.
(function (neural) {
  const DASHES = ["solid", "10px,3px", "3px,2px"];
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

  /** Give a function from the light palette, in which the server draws figures, to the palette of the theme. */
  function translate() {
    const probe = neural.h("span", { "data-bs-theme": "light", hidden: true });
    document.body.append(probe);
    const style = getComputedStyle(probe);
    const light = Array.from({ length: 10 }, (_, index) => style.getPropertyValue(`--run-${index}`).trim().toLowerCase());
    const now = theme().runs;
    probe.remove();
    const one = (color) => (typeof color === "string" && light.includes(color.toLowerCase()) ? now[light.indexOf(color.toLowerCase())] : color);
    return (color) => (Array.isArray(color) ? color.map(one) : one(color));
  }

  /** Give the colour of an index, as in the palette; it goes round after ten. */
  const at = (index) => theme().runs[((index % 10) + 10) % 10];

  const of = (run) => (run.color && /^#[0-9a-f]{6}$/i.test(run.color) ? run.color : at(run.ordinal));

  let dashes = null; // id -> index, of the selected runs

  /** Selected runs of one colour differ by their dash: the oldest is solid. A colour that is alone needs none. */
  function dashIndex(run) {
    if (!dashes) {
      dashes = new Map();
      const used = new Map();
      for (const one of neural.runs.selected().sort((a, b) => a.ordinal - b.ordinal)) {
        const before = used.get(of(one)) || 0;
        dashes.set(one.id, before % DASHES.length);
        used.set(of(one), before + 1);
      }
    }
    return dashes.get(run.id) || 0;
  }

  const dash = (run) => DASHES[dashIndex(run)];

  function alpha(color, opacity) {
    const value = Number.parseInt(color.slice(1, 7), 16);
    return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${opacity})`;
  }

  /** Forget the colours of the old theme. */
  const refresh = () => {
    read = dashes = null;
  };

  const refreshDashes = () => {
    dashes = null;
  };
  neural.state.on("selected", refreshDashes);

  /** Make the box that stands for a run: its colour, and its dash when it has one. */
  function swatch(run, more) {
    const box = neural.h("span", { class: `swatch dash-${dashIndex(run)}`, "aria-hidden": "true", ...more });
    box.style.setProperty("--c", of(run));
    return box;
  }

  neural.colors = { translate, dashes: DASHES, theme, at, of, dash, dashIndex, alpha, refresh, refreshDashes, swatch };
})((window.neural = window.neural || {}));
