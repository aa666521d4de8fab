"use strict";
// Every action has a name; buttons carry it in `data-action`, keys look it up in keyboard.js.
(function (neural) {
  const THEMES = ["system", "light", "dark"];

  /** Give the chart that an action means: in full screen, under the pointer, with the focus, or the first in sight. */
  function card() {
    const full = neural.cards.inFull();
    const pointed = document.querySelector(".card:hover") || (document.activeElement && document.activeElement.closest(".card"));
    return full || (pointed && pointed.card) || neural.cards.visible()[0];
  }

  const withCard = (work) => () => {
    const one = neural.state.get().tab === "metrics" && card();
    if (one) work(one);
  };

  const actions = {
    refresh: () => neural.live.refresh(),
    share: (button) => neural.exporting.shareMenu(button),
    "copy-link": () => {
      neural.url.flush();
      neural.copy(location.href, "Link");
    },
    theme: () => neural.theme.set(THEMES[(THEMES.indexOf(neural.theme.get()) + 1) % THEMES.length], true),
    help: () => neural.setProps("help-window", { is_open: true }),
    panel: () => neural.state.set({ panel: !neural.state.get().panel }),
    "select-all": () => neural.selection.all(),
    archived: () => neural.state.set({ q: neural.filter.shelf(neural.state.get().q) }),
    "select-none": () => neural.state.select([]),
    table: () => neural.table.toggle(),
    "table-differing": () => neural.table.differing(),
    "table-columns": (button) => neural.table.columnMenu(button),
    "table-group": (button) => neural.table.groupRows(button),
    "table-tag": (button) => neural.table.tag(button),
    "table-archive": () => neural.table.archive(),
    "table-trash": () => neural.table.trash(),
    "table-csv": () => neural.setProps("runs-table", { exportDataAsCsv: true }),
    close: (button) => (button.dataset.close === "table" ? neural.table.close() : neural.drawer.close()),
    "zoom-reset": () => neural.zoom.reset(null),
    "zoom-back": () => neural.zoom.back(),
    "full-screen": withCard((one) => neural.cards.fullScreen(one)),
    log: withCard((one) => neural.cardhead.toggleLog(one)),
    export: withCard((one) => neural.exporting.cardMenu(one, one.buttons.lastElementChild)),
  };

  function start() {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-action]");
      const work = button && actions[button.dataset.action];
      if (work) work(button);
    });
  }

  neural.actions = { start, run: (name) => actions[name](null), card };
})((window.neural = window.neural || {}));
