"use strict";
// Searches and ranges over sorted arrays.
(function (neural) {
  /** Give the index of the first value that is not below `wanted`. */
  function lower(x, wanted) {
    let low = 0;
    let high = x.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (x[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Give the index of the value nearest to `wanted`, or -1 of an empty array. */
  function nearest(x, wanted) {
    if (!x.length) return -1;
    const right = neural.clamp(lower(x, wanted), 0, x.length - 1);
    return right > 0 && wanted - x[right - 1] <= x[right] - wanted ? right - 1 : right;
  }

  function quantile(values, part) {
    const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
    return sorted.length ? sorted[Math.round(part * (sorted.length - 1))] : NaN;
  }

  /** Give the lowest and highest of `y` where x is in the window; infinities when there is none. */
  function extent(x, y, from, to, positive) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = lower(x, from); i < x.length && x[i] <= to; i += 1) {
      const value = y[i];
      if (!Number.isFinite(value) || (positive && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  }

  /** Give the range that holds all but the outermost two hundredths at either end. */
  function common(x, y, from, to, positive) {
    const inside = y.slice(lower(x, from), lower(x, to) + 1).filter((value) => !positive || value > 0);
    const [low, high] = [quantile(inside, 0.02), quantile(inside, 0.98)];
    return Number.isFinite(low) ? [low, high] : [Infinity, -Infinity];
  }

  /** Give a range with a little air, in the units of the axis (powers of ten when logarithmic). */
  function padded([low, high], log) {
    if (low > high) return log ? [-1, 0] : [0, 1];
    let [a, b] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
    if (a === b) {
      const half = log ? 0.5 : Math.abs(a) * 0.05 || 0.5;
      [a, b] = [a - half, b + half];
    }
    const air = (b - a) * 0.05;
    return [a - air, b + air];
  }

  neural.stats = { lower, nearest, quantile, extent, common, padded };
})((window.neural = window.neural || {}));
