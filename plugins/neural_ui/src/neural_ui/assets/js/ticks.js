"use strict";
// Ticks of time axes and the form of numbers on the others; Plotly's own are good for numbers only.
(function (neural) {
  const STEPS = [0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

  function label(seconds, step) {
    if (step < 1) return `${Number(seconds.toFixed(3))} s`;
    const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, Math.round(seconds % 60)];
    if (step >= 86400) return `${d} d`;
    if (step >= 3600) return d ? `${d} d ${h} h` : `${h} h`;
    if (step >= 60) return d || h ? `${d * 24 + h} h ${m}` : `${m} min`;
    return d || h || m ? `${(d * 24 + h) * 60 + m} min ${s}` : `${s} s`;
  }

  /** Give tick values and texts of a duration axis with about this many ticks. */
  function durations(from, to, about) {
    const step = STEPS.find((one) => (to - from) / one <= about) || Math.ceil((to - from) / about / 604800) * 604800;
    const values = [];
    for (let v = Math.ceil(from / step) * step; v <= to; v += step) values.push(v);
    return { tickmode: "array", tickvals: values, ticktext: values.map((v) => label(v, step)) };
  }

  // Wall time is drawn as UTC by Plotly; the shift makes it local time.
  const shift = () => -new Date().getTimezoneOffset() * 60;

  const toPlot = (x, axis) => (axis === "wall" ? (x + shift()) * 1000 : x);
  const fromPlot = (x, axis) => (axis === "wall" ? x / 1000 - shift() : x);

  /** Read an end of Plotly's range, which may be a date's text or a power of ten, as a number in units of x. */
  function fromRange(end, axis, log) {
    if (axis === "wall") return fromPlot(typeof end === "number" ? end : Date.parse(`${String(end).replace(" ", "T")}Z`.replace(/(\.\d{3})\d+/, "$1")), axis);
    return log ? 10 ** Number(end) : Number(end);
  }

  /** Give Plotly's settings of the x axis for a window in units of x. */
  function xAxis([from, to], axis, log, width) {
    const about = Math.max(2, Math.floor(width / 62));
    if (axis === "wall") return { type: "date", range: [toPlot(from, axis), toPlot(to, axis)], nticks: about };
    if (log) {
      const low = from > 0 ? from : Math.min(1, to / 1000);
      return { type: "log", range: [Math.log10(low), Math.log10(to)], nticks: about, tickformat: "~s" };
    }
    const base = { type: "linear", range: [from, to], nticks: about, tickformat: "" };
    if (axis === "relative") return { ...base, ...durations(from, to, about) };
    return axis === "step" ? { ...base, tickformat: to - from < 20000 && Math.abs(to) < 1e6 ? ",~r" : "~s" } : base;
  }

  neural.ticks = { durations, toPlot, fromPlot, fromRange, xAxis };
})((window.neural = window.neural || {}));
