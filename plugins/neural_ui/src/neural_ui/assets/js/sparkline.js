"use strict";
// A curve as small as a word.
(function (neural) {
  const WIDTH = 240;
  const HEIGHT = 44;

  /** Draw a curve into an own small picture; nothing for fewer than two finite values. */
  function draw(series, color) {
    const root = neural.svg("svg", { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const { x, mean } = series;
    const finite = mean.filter(Number.isFinite);
    if (finite.length < 2) return root;
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const span = x[x.length - 1] - x[0] || 1;
    const points = [];
    for (let i = 0; i < x.length; i += 1) {
      if (!Number.isFinite(mean[i])) continue;
      const px = ((x[i] - x[0]) / span) * WIDTH;
      const py = HEIGHT - 3 - ((mean[i] - low) / (high - low || 1)) * (HEIGHT - 6);
      points.push(`${px.toFixed(1)},${py.toFixed(1)}`);
    }
    const line = neural.svg("path", { d: `M${points.join("L")}`, class: "spark-line" });
    const area = neural.svg("path", { d: `M${points[0].split(",")[0]},${HEIGHT}L${points.join("L")}L${points[points.length - 1].split(",")[0]},${HEIGHT}Z`, class: "spark-area" });
    root.style.setProperty("--c", color);
    root.append(area, line);
    return root;
  }

  neural.sparkline = { draw };
})((window.neural = window.neural || {}));
