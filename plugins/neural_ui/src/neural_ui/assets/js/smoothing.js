"use strict";
// Exponential smoothing in units of x: the same value at the same place, whatever the zoom.
(function (neural) {
  /** Give the time constant of a slider position (0 to 100) as a part of the whole span. */
  const share = (smooth) => 0.2 * (smooth / 100) ** 3;

  /**
   * Smooth values with a time constant `tau` in units of x. Each value weighs as much as the stretch of x that it
   * stands for, so that one bucket weighs as much as the points in it; the start is not pulled to zero. NaN stays NaN.
   */
  function ema(x, y, tau) {
    const out = new Float64Array(y.length);
    if (!(tau > 0)) {
      out.set(y);
      return out;
    }
    let sum = 0;
    let weight = 0;
    let before = NaN;
    const first = y.length > 1 ? x[1] - x[0] : 1;
    for (let i = 0; i < y.length; i += 1) {
      if (Number.isNaN(y[i])) {
        out[i] = NaN;
        continue;
      }
      const gap = Number.isNaN(before) ? first : x[i] - before;
      const keep = Math.exp(-Math.max(gap, 0) / tau);
      const own = Math.max(1 - keep, 1e-12);
      sum = sum * keep + y[i] * own;
      weight = weight * keep + own;
      out[i] = sum / weight;
      before = x[i];
    }
    return out;
  }

  /** Give how far to the left of a zoomed window the smoothing looks. */
  const lead = (tau, from, to) => Math.min(5 * tau, 2 * (to - from));

  neural.smoothing = { share, ema, lead };
})((window.neural = window.neural || {}));
