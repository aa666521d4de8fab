"use strict";
// Which part of x the charts show. Linked charts share it; each step can be taken back.
(function (neural) {
  const history = [];

  const windowOf = (card) => (neural.state.get().link ? neural.state.get().zoom : card.zoom);

  function remember(card) {
    history.push({ card, zoom: windowOf(card), y: card ? card.y : null, link: neural.state.get().link });
    if (history.length > 100) history.shift();
  }

  function put(card, range) {
    if (neural.state.get().link) {
      if (JSON.stringify(neural.state.get().zoom) === JSON.stringify(range)) card.refresh();
      neural.state.set({ zoom: range });
    } else {
      card.zoom = range;
      card.refresh();
    }
  }

  /** Show this part of x (null: all) in the chart and those linked with it; `y` is the boxed part of y, if any. */
  function to(card, range, y = null) {
    remember(card);
    card.y = y;
    put(card, range && range[0] < range[1] ? range : null);
  }

  /** Take the last zoom back. */
  function back() {
    const last = history.pop();
    if (!last) return;
    last.card.y = last.y;
    put(last.card, last.zoom);
  }

  function reset(card) {
    const { link, zoom } = neural.state.get();
    if (card) return to(card, null);
    for (const one of neural.cards.all()) {
      one.y = null;
      if (!link && one.zoom) to(one, null);
    }
    if (zoom) neural.state.set({ zoom: null });
    else neural.cards.all().forEach((one) => one.refresh());
    return undefined;
  }

  function onRelayout(card, event) {
    const [x0, x1] = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
    const [y0, y1] = [event["yaxis.range[0]"], event["yaxis.range[1]"]];
    const { x, logx } = neural.state.get();
    const y = y0 !== undefined ? [y0, y1] : null;
    if (x0 !== undefined) to(card, [neural.ticks.fromRange(x0, x, logx), neural.ticks.fromRange(x1, x, logx)], y);
    else if (y) {
      remember(card);
      card.y = y;
      card.draw();
    }
  }

  function onWheel(card, event) {
    if (!event.altKey || !card.map) return;
    event.preventDefault();
    const { logx } = neural.state.get();
    const put10 = (v) => (logx ? Math.log10(v) : v);
    const box = card.plot.getBoundingClientRect();
    const at = put10(card.map.atX(event.clientX - box.left));
    const [from, to_] = card.range.map(put10);
    const factor = Math.exp(neural.clamp(event.deltaY, -100, 100) / 300);
    const range = [at - (at - from) * factor, at + (to_ - at) * factor].map((v) => (logx ? 10 ** v : v));
    const full = card.full || card.range;
    const bound = [Math.max(range[0], full[0]), Math.min(range[1], full[1])];
    if (!card.wheeling) remember(card);
    card.wheeling = true;
    card.y = null;
    card.preview(bound);
    soon(card, bound[0] <= full[0] && bound[1] >= full[1] ? null : bound);
  }

  const soon = neural.debounce(60, (card, range) => {
    card.wheeling = false;
    put(card, range);
  });

  /** Zoom to a spike: a twentieth of what is seen, and all of its height. */
  function onClick(card, event) {
    if (!card.map) return;
    const box = card.plot.getBoundingClientRect();
    const spike = neural.overlay.spikeAt(card.overlay, card.map, event.clientX - box.left, event.clientY - box.top);
    if (!spike) return;
    const half = (card.range[1] - card.range[0]) / 40;
    to(card, [spike.x - half, spike.x + half]);
  }

  function attach(card) {
    card.plot.addEventListener("wheel", (event) => onWheel(card, event), { passive: false });
    card.plot.addEventListener("click", (event) => onClick(card, event));
  }

  neural.zoom = { attach, onRelayout, windowOf, to, back, reset, forget: () => history.splice(0) };
})((window.neural = window.neural || {}));
