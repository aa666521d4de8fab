"use strict";
// Tabs of other distributions: a figure that the server made, drawn here.
(function (neural) {
  const h = neural.h;

  const ids = () => neural.runs.charted().map((run) => run.id).join(",");

  function themed(figure) {
    const theme = neural.colors.theme();
    const axis = { gridcolor: theme.grid, linecolor: theme.line, zerolinecolor: theme.line };
    const layout = { ...figure.layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: "Inter, system-ui, sans-serif", size: 12, ...(figure.layout || {}).font, color: theme.text } };
    for (const name of ["xaxis", "yaxis"]) layout[name] = { ...axis, ...layout[name] };
    delete layout.template;
    delete layout.width;
    const recolor = neural.colors.translate();
    const painted = (part) => (part && part.color !== undefined ? { ...part, color: recolor(part.color) } : part);
    const data = (figure.data || []).map((trace) => ({ ...trace, marker: painted(trace.marker), line: painted(trace.line) }));
    return { data, layout: { margin: { l: 60, r: 20, t: layout.title ? 48 : 16, b: 48 }, height: 560, ...layout } };
  }

  async function draw(panel, place) {
    if (panel.error) return neural.replace(place, h("p", { class: "card-problem", role: "alert", text: panel.error }));
    const own = (panel.asked = {});
    try {
      const answer = await neural.api.panel(panel.name, ids());
      if (panel.asked !== own) return undefined; // asked again meanwhile
      const { data, layout } = themed(answer);
      const plot = h("div", { class: "panel-plot", role: "img", "aria-label": panel.title });
      neural.replace(place, h("div", { class: "card tall" }, plot));
      await window.Plotly.newPlot(plot, data, layout, { displayModeBar: false, responsive: true, showTips: false });
    } catch (failed) {
      if (panel.asked === own) neural.replace(place, h("p", { class: "card-problem", role: "alert", text: failed.message }));
    }
    return undefined;
  }

  function add(panel) {
    const name = `panel-${panel.name}`;
    const place = h("div", { class: "view-body" });
    const tab = h("button", { type: "button", role: "tab", id: `tab-${name}`, class: "view-tab", tabindex: "-1", "data-tab": name, "data-testid": `tab-${name}`, "aria-selected": "false", "aria-controls": `view-${name}`, title: panel.distribution ? `${panel.title}, from ${panel.distribution}` : panel.title, text: panel.title });
    const view = h("section", { id: `view-${name}`, role: "tabpanel", class: "view", hidden: true, "data-view": name, "aria-labelledby": `tab-${name}` }, h("h2", { class: "visually-hidden", text: panel.title }), place);
    neural.$("tablist").append(tab);
    neural.$("panel-views").append(view);
    neural.tabs.register(name, () => draw(panel, place));
  }

  async function start() {
    let list = [];
    try {
      list = await neural.api.panels();
    } catch (failed) {
      if (failed.status !== 404) neural.fail(failed);
    }
    list.forEach(add);
    if (list.length) neural.tabs.show();
  }

  neural.panels = { start, themed };
})((window.neural = window.neural || {}));
