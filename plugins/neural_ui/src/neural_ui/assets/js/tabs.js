"use strict";
// The tabs; a view is drawn when it is shown and something has changed since.
(function (neural) {
  const views = new Map(); // name -> {draw, dirty}
  const OPEN = CSS.supports("selector(:open)"); // whether a browser tells that a list is unfolded
  const tabs = () => [...document.querySelectorAll("#tablist [role=tab]")];

  /** Say how a view is drawn; it is called when the tab is shown and its data has changed. */
  function register(name, draw) {
    views.set(name, { draw, dirty: true });
    if (neural.state.get().tab === name && neural.tabs.started) show();
  }

  function show() {
    const { tab } = neural.state.get();
    const name = tabs().some((one) => one.dataset.tab === tab) ? tab : "metrics";
    for (const one of tabs()) {
      const chosen = one.dataset.tab === name;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
    }
    document.querySelectorAll("#main [role=tabpanel]").forEach((view) => {
      view.hidden = view.dataset.view !== name;
    });
    const view = views.get(name);
    if (!view || !view.dirty) return;
    if (occupied(name)) return void later();
    view.dirty = false;
    const again = focus(name);
    view.draw();
    again();
    requestAnimationFrame(() => requestAnimationFrame(again)); // what has to be measured first is drawn a frame later
  }

  const later = neural.debounce(300, show);

  /** Give the element of a view that has the focus. */
  function focused(name) {
    const panel = document.activeElement.closest("[role=tabpanel]");
    return panel && panel.dataset.view === name ? document.activeElement : null;
  }

  /** Say whether a person writes or chooses in a field of a view: it is drawn anew after that. */
  function occupied(name) {
    const one = focused(name);
    if (!one) return false;
    return one.matches("input") ? one.value !== one.defaultValue : OPEN && one.matches("select:open");
  }

  /** Give a function that puts the focus back to where it is now, when that has been drawn anew. */
  function focus(name) {
    const one = focused(name);
    if (!one) return () => undefined;
    const panel = one.closest("[role=tabpanel]");
    const all = () => [...panel.querySelectorAll("button, input, select, [tabindex]")];
    const words = (other) => [other.tagName, other.id, other.getAttribute("aria-label"), other.textContent].join();
    const [said, place] = [words(one), all().indexOf(one)];
    return () => {
      if (one.isConnected || document.activeElement !== document.body) return;
      const again = all().find((other) => words(other) === said) || all()[place];
      if (again) again.focus({ preventScroll: true });
    };
  }

  /** Mark views as out of date; the one in sight is drawn again. */
  function touch(...names) {
    for (const name of names.length ? names : views.keys()) if (views.has(name)) views.get(name).dirty = true;
    show();
  }

  function onKey(event) {
    const list = tabs();
    const at = list.indexOf(document.activeElement);
    const go = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (go === undefined || at < 0) return;
    event.preventDefault();
    const next = list[(go + list.length) % list.length];
    next.focus();
    neural.state.set({ tab: next.dataset.tab });
  }

  function start() {
    neural.$("tablist").addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) neural.state.set({ tab: tab.dataset.tab });
    });
    neural.$("tablist").addEventListener("keydown", onKey);
    neural.state.on("tab", show);
    neural.state.on("selected", neural.debounce(30, () => touch()));
    neural.runs.on(neural.debounce(200, () => touch()));
    neural.tabs.started = true;
    show();
  }

  neural.tabs = { register, touch, start, show, started: false, nth: (n) => tabs()[n - 1] && neural.state.set({ tab: tabs()[n - 1].dataset.tab }) };
})((window.neural = window.neural || {}));
