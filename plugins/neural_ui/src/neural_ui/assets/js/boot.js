"use strict";
// Runs in the head, before anything is drawn: the theme without a flash, the first request on its way, and who waits.
(function () {
  const neural = (window.neural = window.neural || {});
  let stored = null;
  try {
    stored = window.localStorage.getItem("neural.theme");
  } catch (denied) {
    stored = null;
  }
  const dark = stored === "dark" || (stored !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
  neural.firstRuns = fetch("/api/v1/runs?newest=500"); // as the document announces it
  neural.firstRuns.catch(() => undefined); // main.js tells of it
  // Dash puts its components into the page after the first chart, for which nobody should wait longer than for it.
  neural.dashBegins = new Promise((done) => {
    neural.beginDash = done;
    setTimeout(done, 1500);
  });
})();
