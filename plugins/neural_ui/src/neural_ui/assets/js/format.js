"use strict";
// Numbers, times and sizes as people read them.
(function (neural) {
  const SIZES = ["B", "kB", "MB", "GB", "TB"];

  /** Give a value of a metric with this many significant digits, short: 0.9312, 1.2e-5, 12,345. */
  function number(value, digits = 4) {
    if (value === null || value === undefined || value === "") return "–";
    const v = Number(value);
    if (Number.isNaN(v)) return "NaN";
    if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
    if (v === 0) return "0";
    const size = Math.abs(v);
    if (size < 1e-4 || size >= 1e7) return v.toExponential(Math.max(0, digits - 1)).replace(/\.?0+e/, "e").replace("e+", "e").replace("-", "−");
    if (Number.isInteger(v)) return v.toLocaleString("en-US").replace("-", "−");
    const places = neural.clamp(digits - 1 - Math.floor(Math.log10(size)), 0, 8);
    return v.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }).replace("-", "−");
  }

  /** Give a count short: 950, 12.3k, 20M. */
  function count(value) {
    if (!Number.isFinite(value)) return "–";
    for (const [size, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
    }
    return String(Number(Number(value).toPrecision(4)));
  }

  const step = (value) => (Number.isInteger(value) ? value.toLocaleString("en-US") : number(value, 5));

  /** Give seconds in two units, or in one where there is little room. */
  function duration(seconds, short = false) {
    if (!Number.isFinite(seconds) || seconds < 0) return "–";
    if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 59.5) return `${Number(seconds.toPrecision(2))} s`;
    if (short && seconds >= 600 && seconds < 3600) return `${Math.round(seconds / 60)} min`;
    const whole = Math.round(seconds);
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return `${minutes} min ${whole % 60} s`;
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return `${hours} h ${minutes % 60} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

  const when = (seconds) => (Number.isFinite(seconds) ? DATE.format(seconds * 1000).replace(",", "").replace("Sept", "Sep") : "–");
  const fullTime = (seconds) => (Number.isFinite(seconds) ? FULL.format(seconds * 1000) : "–");

  function bytes(value) {
    if (!Number.isFinite(value)) return "–";
    let unit = 0;
    let size = value;
    while (size >= 1000 && unit < SIZES.length - 1) {
      size /= 1000;
      unit += 1;
    }
    return `${unit ? Number(size.toPrecision(3)) : size} ${SIZES[unit]}`;
  }

  /** Give a parameter's value as text; numbers as they were written. */
  const value = (one) => (one === null || one === undefined ? "–" : typeof one === "string" ? one : JSON.stringify(one));

  /** Give a position on the x axis for the tooltip. */
  function position(x, axis) {
    if (axis === "wall") return fullTime(x);
    if (axis === "relative") return duration(x);
    if (axis.startsWith("metric:")) return `${axis.slice(7)} ${number(x, 5)}`;
    return `step ${step(Math.round(x))}`;
  }

  /** Give a text that Plotly draws literally: it reads some HTML, links and formulas. */
  const plotly = (text) =>
    String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;").replace(/%\{/g, "%&#123;");

  const plural = (n, one) => `${n.toLocaleString("en-US")} ${one}${n === 1 ? "" : "s"}`;

  neural.format = { number, count, step, duration, when, fullTime, bytes, value, position, plotly, plural };
})((window.neural = window.neural || {}));
