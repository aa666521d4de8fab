"use strict";
// The controls of an exported comparison: tabs, theme, legend, toolbar.
(function (neural) {
  const comparison = JSON.parse(document.getElementById("comparison").textContent);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const $ = (id) => document.getElementById(id);
  const tabs = [...document.querySelectorAll("[role=tab]")];

  function open(tab) {
    for (const one of tabs) {
      const chosen = one === tab;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      $(one.getAttribute("aria-controls")).hidden = !chosen;
    }
  }

  function paint(theme) {
    root.dataset.bsTheme = theme;
    const style = getComputedStyle(root);
    comparison.runs.forEach((run, at) => {
      const color = run.color || style.getPropertyValue(`--run-${run.index}`).trim();
      for (const element of document.querySelectorAll(`[data-run="${at}"]`)) element.style.setProperty("--c", color);
    });
  }

  function legend() {
    comparison.runs.forEach((run, at) => {
      const item = document.createElement("li");
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      const swatch = document.createElement("i");
      swatch.className = `swatch ${run.dash}`;
      swatch.dataset.run = String(at);
      const name = document.createElement("span");
      name.textContent = run.name;
      name.title = run.name;
      label.append(box, swatch, name);
      item.append(label);
      $("legend").append(item);
      box.addEventListener("change", () => {
        const hidden = new Set(neural.charts.get().hidden);
        if (box.checked) hidden.delete(at);
        else hidden.add(at);
        neural.charts.set({ hidden });
      });
    });
  }

  function toolbar() {
    const { smooth, log } = comparison.state;
    $("smooth").value = String(smooth);
    $("log").checked = log;
    $("band").checked = neural.charts.get().band;
    $("smooth").addEventListener("input", () => neural.charts.set({ smooth: Number($("smooth").value) }));
    $("log").addEventListener("change", () => neural.charts.set({ log: $("log").checked }));
    $("band").addEventListener("change", () => neural.charts.set({ band: $("band").checked }));
    $("reset").addEventListener("click", () => neural.charts.set({ range: null }));
    $("find").addEventListener("input", () => neural.charts.find($("find").value));
  }

  function arrows(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    open(next);
    next.focus();
  }

  async function start() {
    legend();
    paint(dark.matches ? "dark" : "light");
    tabs.forEach((tab) => tab.addEventListener("click", () => open(tab)));
    tabs.forEach((tab) => tab.addEventListener("keydown", arrows));
    open(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));
    const change = (theme) => {
      paint(theme);
      neural.charts.set({});
    };
    $("theme").addEventListener("click", () => change(root.dataset.bsTheme === "dark" ? "light" : "dark"));
    dark.addEventListener("change", () => change(dark.matches ? "dark" : "light"));
    await neural.charts.start(comparison, $("charts"));
    toolbar();
    document.body.dataset.state = "ready";
  }

  start();
})((window.neural = window.neural || {}));
