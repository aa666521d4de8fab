"use strict";
// Light, dark, or as the system is.
(function (neural) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const WORDS = { light: "light", dark: "dark", system: "as the system" };
  let choice = "system";

  function apply() {
    const dark = choice === "dark" || (choice === "system" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    neural.colors.refresh();
    const button = document.querySelector('[data-action="theme"]');
    button.dataset.theme = choice;
    button.title = `Theme: ${WORDS[choice]} (t)`;
    button.setAttribute("aria-label", button.title);
    button.firstElementChild.className = `icon i-theme-${choice}`;
  }

  function set(next, tell) {
    choice = next in WORDS ? next : "system";
    try {
      window.localStorage.setItem("neural.theme", choice);
    } catch (denied) {
      // it holds until the page is closed
    }
    apply();
    neural.runlist.draw();
    neural.cards.redraw();
    neural.tabs.touch();
    neural.legend.draw();
    neural.drawer.redraw();
    if (tell) neural.toast(`Theme: ${WORDS[choice]}`, { seconds: 1.5 });
  }

  function start() {
    try {
      choice = window.localStorage.getItem("neural.theme") || "system";
    } catch (denied) {
      choice = "system";
    }
    if (!(choice in WORDS)) choice = "system";
    apply();
    system.addEventListener("change", () => choice === "system" && set("system", false));
  }

  neural.theme = { start, set, get: () => choice };
})((window.neural = window.neural || {}));
