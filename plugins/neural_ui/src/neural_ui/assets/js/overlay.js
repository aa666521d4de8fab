"use strict";
// What lies over a chart without a redraw by Plotly: crosshair, point, band of the hovered run, marks of spikes.
(function (neural) {
  const svg = neural.svg;
  const MOST_SPIKES = 24;

  function make(host) {
    const parts = {
      band: svg("path", { class: "o-band" }),
      cross: svg("line", { class: "o-cross" }),
      spikes: svg("g", { class: "o-spikes" }),
      point: svg("circle", { class: "o-point", r: 4 }),
    };
    const root = svg("svg", { class: "overlay", "aria-hidden": "true" }, parts.band, parts.spikes, parts.cross, parts.point);
    host.append(root);
    return { root, ...parts, list: [] };
  }

  /** Give functions between data and pixels for a chart drawn with these ranges. */
  function scale(box, x, y, logx, logy) {
    const px = (v) => box.left + ((logx ? Math.log10(v) : v) - x[0]) / (x[1] - x[0]) * box.width;
    const py = (v) => box.top + (1 - ((logy ? Math.log10(v) : v) - y[0]) / (y[1] - y[0])) * box.height;
    const atX = (p) => {
      const v = x[0] + ((p - box.left) / box.width) * (x[1] - x[0]);
      return logx ? 10 ** v : v;
    };
    const atY = (p) => {
      const v = y[0] + (1 - (p - box.top) / box.height) * (y[1] - y[0]);
      return logy ? 10 ** v : v;
    };
    return { px, py, atX, atY, box, top: logy ? 10 ** y[1] : y[1], bottom: logy ? 10 ** y[0] : y[0] };
  }

  function cross(overlay, map, x) {
    const at = x === null ? NaN : map.px(x);
    const inside = at >= map.box.left - 0.5 && at <= map.box.left + map.box.width + 0.5;
    overlay.cross.style.display = inside ? "" : "none";
    if (!inside) return;
    const place = { x1: at, x2: at, y1: map.box.top, y2: map.box.top + map.box.height };
    for (const [name, value] of Object.entries(place)) overlay.cross.setAttribute(name, value.toFixed(1));
  }

  function point(overlay, map, line, index) {
    const shown = line && index >= 0 && Number.isFinite(line.y[index]);
    overlay.point.style.display = shown ? "" : "none";
    if (!shown) return;
    overlay.point.setAttribute("cx", map.px(line.x[index]).toFixed(1));
    overlay.point.setAttribute("cy", map.py(line.y[index]).toFixed(1));
    overlay.point.style.setProperty("--c", line.color);
  }

  /** Draw the min–max band of one line, or none. */
  function band(overlay, map, line) {
    overlay.band.style.display = line ? "" : "none";
    if (!line) return;
    const { box } = map;
    const bound = (p) => neural.clamp(p, box.top, box.top + box.height);
    const up = [];
    const down = [];
    for (let i = 0; i < line.x.length; i += 1) {
      const p = map.px(line.x[i]);
      if (!(p >= box.left - 1 && p <= box.left + box.width + 1)) continue;
      if (!Number.isFinite(line.high[i]) || !Number.isFinite(line.low[i])) continue;
      up.push(`${p.toFixed(1)},${bound(map.py(line.high[i])).toFixed(1)}`);
      down.push(`${p.toFixed(1)},${bound(map.py(line.low[i])).toFixed(1)}`);
    }
    overlay.band.setAttribute("d", up.length > 1 ? `M${up.join("L")}L${down.reverse().join("L")}Z` : "");
    overlay.band.style.setProperty("--c", line.color);
  }

  function spikesOf(line, map, [from, to]) {
    const { max, min, at_max: atMax, at_min: atMin, x } = line.series;
    const out = [];
    if (!max || line.group) return out;
    const span = Math.abs(map.top - map.bottom);
    for (let i = neural.stats.lower(x, from); i < x.length && x[i] <= to; i += 1) {
      if (max[i] > map.top + span * 0.25) out.push({ line, up: true, x: atMax ? atMax[i] : x[i], value: max[i], over: max[i] - map.top });
      if (min[i] < map.bottom - span * 0.25 && map.bottom > -Infinity) out.push({ line, up: false, x: atMin ? atMin[i] : x[i], value: min[i], over: map.bottom - min[i] });
    }
    return out;
  }

  /** Mark at the edge where values leave the view; the largest only, a few pixels apart. */
  function spikes(overlay, map, lines, range) {
    const found = lines.flatMap((line) => spikesOf(line, map, range)).sort((a, b) => b.over - a.over);
    const kept = [];
    for (const one of found) {
      one.px = map.px(one.x);
      if (kept.every((other) => other.up !== one.up || Math.abs(other.px - one.px) > 7)) kept.push(one);
      if (kept.length >= MOST_SPIKES) break;
    }
    overlay.list = kept;
    overlay.spikes.replaceChildren(...kept.map((one) => mark(one, map.box)));
  }

  function mark(one, box) {
    const y = one.up ? box.top + 1 : box.top + box.height - 1;
    const tip = one.up ? 6 : -6;
    const shape = svg("path", { d: `M${(one.px - 3.5).toFixed(1)},${y + tip}l3.5,${-tip}l3.5,${tip}z`, class: "o-spike" });
    shape.style.setProperty("--c", one.line.color);
    return shape;
  }

  /** Give the mark under the pointer. */
  const spikeAt = (overlay, map, px, py) =>
    overlay.list.find((one) => Math.abs(one.px - px) < 6 && Math.abs(py - (one.up ? map.box.top : map.box.top + map.box.height)) < 12);

  neural.overlay = { make, scale, cross, point, band, spikes, spikeAt };
})((window.neural = window.neural || {}));
