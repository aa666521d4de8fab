"use strict";
// Draws the one figure of a page in the colours that the system prefers, and again when these change.
(function () {
  const figure = JSON.parse(document.getElementById("figure").textContent);
  const place = document.getElementById("plot");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const log = document.getElementById("log");

  function themed() {
    const [text, grid] = dark.matches ? ["#d7dae2", "#31353f"] : ["#2b303b", "#e6e8ee"];
    const layout = structuredClone(figure.layout);
    delete layout.title; // the page's heading says it
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)).concat("xaxis", "yaxis")) {
      layout[axis] = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, ...layout[axis] };
    }
    if (log.getAttribute("aria-pressed") === "true") layout.yaxis.type = "log";
    return Object.assign(layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: text, family: "Inter, system-ui, sans-serif", size: 13 },
      margin: { l: 64, r: 24, t: 24, b: 56 },
      autosize: true,
    });
  }

  const draw = () => Plotly.react(place, figure.data, themed(), { responsive: true, displaylogo: false });

  log.hidden = !(figure.layout.meta && figure.layout.meta.log);
  log.addEventListener("click", () => {
    log.setAttribute("aria-pressed", String(log.getAttribute("aria-pressed") !== "true"));
    draw();
  });
  dark.addEventListener("change", draw);
  draw().then(() => document.body.setAttribute("data-state", "ready"));
})();
