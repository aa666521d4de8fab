"use strict";
// The grid of charts: sections by prefix, only what is in sight is read and drawn, one crosshair for all.
(function (neural) {
  const h = neural.h;
  const cards = new Map(); // by metric
  const sizes = new ResizeObserver((entries) => entries.forEach(resized));
  const sight = new IntersectionObserver((entries) => entries.forEach(seen), { rootMargin: "48px 0px" });
  const queue = new Set();
  const DRAWN = 24; // charts that keep their drawing
  const recent = new Set();
  const marks = { first: false, all: false };
  const PATIENCE = 1000; // ms that charts wait for the first one
  let leader = null; // the chart that is drawn first
  let go = null;
  const begun = new Promise((done) => (go = done)); // when it has been painted
  let full = null;

  const all = () => [...cards.values()];
  const visible = () => all().filter((card) => card.visible);

  function seen({ target, isIntersecting }) {
    const { card } = target;
    card.visible = isIntersecting;
    if (!isIntersecting) return;
    neural.cardhead.furnish(card);
    tidy(card);
    if (card.stale) card.load();
    else if (card.dirty) card.draw();
  }

  /** Begin with the first charts: they are in sight, and to look whether they are would cost a frame. */
  const begin = (count) => all().slice(0, count).forEach((card) => seen({ target: card.el, isIntersecting: true }));

  /** Take the drawings of charts away that were in sight long ago: a page of a thousand charts stays light. */
  function tidy(card) {
    recent.delete(card);
    recent.add(card);
    for (const old of recent) {
      if (recent.size <= DRAWN) break;
      if (old.visible) continue;
      recent.delete(old);
      if (!old.drawn) continue;
      window.Plotly.purge(old.plot);
      old.drawn = false;
      old.dirty = true;
    }
  }

  function resized({ target, contentRect }) {
    const card = target.closest(".card").card;
    const changed = !card.size || Math.abs(card.size.width - contentRect.width) > 1 || Math.abs(card.size.height - contentRect.height) > 1;
    card.size = { width: contentRect.width, height: contentRect.height };
    if (changed && card.drawn && contentRect.width > 40) enqueue(card);
  }

  /** Draw soon, one chart after the other, so that the page answers in between. */
  function enqueue(card) {
    queue.add(card);
    if (queue.size === 1) setTimeout(work, 0);
  }

  function work() {
    const [card] = queue;
    queue.delete(card);
    if (card) card.draw();
    if (queue.size) setTimeout(work, 0);
  }

  const redraw = () => all().forEach((card) => (card.visible ? enqueue(card) : (card.dirty = true)));
  const reload = () => all().forEach((card) => card.refresh());

  /** Redraw, and read again what smoothing needs at the left of a zoomed window. */
  const leadSoon = neural.debounce(120, () => {
    if (neural.state.get().zoom && neural.state.get().smooth) visible().forEach((card) => card.load());
  });

  function cardOf(metric) {
    if (!cards.has(metric)) {
      const card = neural.chart.make(metric);
      cards.set(metric, card);
      sight.observe(card.el);
      sizes.observe(card.plot);
    }
    return cards.get(metric);
  }

  function drop(metric) {
    const card = cards.get(metric);
    sight.unobserve(card.el);
    sizes.unobserve(card.plot);
    card.reader.stop();
    if (card.drawn) window.Plotly.purge(card.plot);
    cards.delete(metric);
  }

  let shape = "";
  const place = () => neural.$("charts") || neural.$("early-charts");

  /** Move the charts from where they were drawn first to their place in the page. */
  function settle() {
    shape = "";
    columns();
    arrange();
  }

  /** Put the charts in place that the selection, the filter and the pins ask for. */
  function arrange() {
    const host = place();
    const groups = neural.sections.shown();
    const now = JSON.stringify(groups);
    if (now === shape) return;
    shape = now;
    const wanted = new Set(groups.flatMap(([, names]) => names));
    [...cards.keys()].filter((metric) => !wanted.has(metric)).forEach(drop);
    neural.replace(host, groups.map(([name, metrics]) => neural.sections.element(name, metrics.map((metric) => cardOf(metric).el), groups.length === 1 && name === "")));
    if (!groups.length) neural.replace(host, h("p", { class: "nothing", text: nothing() }));
    if (!groups.length) settled(null);
  }

  const nothing = () => (neural.state.get().charts ? "No chart has this name." : neural.runs.charted().length ? "The selected runs have no metrics yet." : "Select runs in the list to see their charts.");

  function columns() {
    const { columns: n } = neural.state.get();
    place().style.setProperty("--columns", n === "auto" ? "" : n);
    place().dataset.columns = n;
  }

  function crosshair(x) {
    for (const card of cards.values()) if (card.visible && card.map) neural.overlay.cross(card.overlay, card.map, x);
  }

  /** Wait for one's turn: one chart is painted before the others in sight are drawn, so that there is something to see. */
  function turn(card) {
    if (!leader) {
      leader = card;
      setTimeout(go, PATIENCE);
    }
    return leader === card ? undefined : begun;
  }

  /** Note when the first chart and when all in sight have been painted; `neural.main` sets the page ready. */
  async function settled() {
    if (marks.all) return;
    const waiting = visible().filter((card) => !card.drawn && !card.failed && neural.chart.runsOf(card).length);
    const drawn = all().some((card) => card.drawn);
    if (drawn && !marks.first) {
      marks.first = true;
      await neural.painted();
      performance.mark("neural:first-chart");
      go();
      neural.beginDash();
    }
    if (waiting.length || marks.all || (cards.size && !visible().length)) return;
    marks.all = true;
    await neural.painted();
    performance.mark("neural:all-charts");
    neural.main.ready();
  }

  function fullScreen(card) {
    const before = full;
    if (full) {
      full.el.classList.remove("is-full");
      full.el.removeAttribute("aria-modal");
      document.body.classList.remove("has-full");
    }
    full = before === card ? null : card;
    if (!full) return before && before.fullButton.focus();
    full.el.classList.add("is-full");
    document.body.classList.add("has-full");
    full.fullButton.focus();
    return undefined;
  }

  function grown(pairs) {
    const byMetric = new Map();
    for (const [id, metric] of pairs) byMetric.set(metric, (byMetric.get(metric) || new Set()).add(id));
    for (const [metric, ids] of byMetric) {
      const card = cards.get(metric);
      if (!card || !neural.chart.runsOf(card).some((run) => ids.has(run.id))) continue;
      if (!card.visible) card.stale = true;
      else if (neural.state.get().group) card.load();
      else card.grow(ids);
    }
  }

  /** React to a new selection: read only when a run is new to a chart. */
  function reselect() {
    arrange();
    for (const card of all()) {
      const fits = card.data && neural.chart.runsOf(card).every((run) => card.loaded.ids.has(run.id)) && neural.chart.runsOf(card).length;
      if (!fits) card.refresh();
      else if (card.visible) enqueue(card);
      else card.dirty = true;
    }
  }

  const reselectSoon = neural.debounce(25, reselect);
  let looks = ""; // what the lines are drawn from, beside their points

  /** Note how the runs look now; say whether that is otherwise than before. */
  function looked() {
    const { group } = neural.state.get();
    const before = looks;
    looks = JSON.stringify(neural.runs.charted().map((run) => [run.id, run.name, neural.colors.of(run), group && neural.grouping.keyOf(run, group)]));
    return looks !== before;
  }

  /** Follow the list: selected runs that were read late, new names, colours and groups. */
  function relook() {
    arrange();
    if (!looked()) return;
    reselectSoon();
    neural.legend.draw();
  }

  function start() {
    columns();
    arrange();
    looked();
    neural.state.on("selected group", looked);
    neural.state.on("selected", reselectSoon);
    neural.state.on("charts pinned", arrange);
    neural.state.on("pinned logs", () => all().forEach(neural.cardhead.marks));
    neural.state.on("columns", columns);
    neural.state.on("smooth band group agg y logx logs clip", redraw);
    neural.state.on("smooth", leadSoon);
    neural.state.on("zoom", reload);
    neural.state.on("link", () => neural.state.set({ windows: {} }) || reload());
    neural.state.on("x", () => {
      neural.zoom.forget();
      all().forEach((card) => Object.assign(card, { full: null }));
      neural.state.set({ boxes: {}, windows: {} });
      if (neural.state.get().zoom) neural.state.set({ zoom: null });
      else reload();
    });
    neural.state.on("y", () => neural.state.set({ boxes: {} }));
    neural.state.on("hover", ({ hover }) => visible().forEach((card) => neural.hover.highlight(card, hover)));
    neural.runs.on(relook);
  }

  neural.cards = { all, visible, settle, start, begin, arrange, redraw, reload, crosshair, turn, settled, fullScreen, grown, inFull: () => full, get: (metric) => cards.get(metric) };
})((window.neural = window.neural || {}));
