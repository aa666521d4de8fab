"use strict";
// The legend of groups: only then the list of runs does not tell the colours.
(function (neural) {
  const h = neural.h;

  function entry(group) {
    const key = h("span", { class: "swatch", "aria-hidden": "true" });
    key.style.setProperty("--c", group.color);
    const one = h("li", { class: "legend-entry" }, key, neural.name(group.key), h("span", { class: "counts", text: neural.format.plural(group.runs.length, "run") }));
    one.addEventListener("pointerenter", () => neural.state.set({ hover: `group:${group.key}` }));
    one.addEventListener("pointerleave", () => neural.state.set({ hover: null }));
    return one;
  }

  function draw() {
    const { group } = neural.state.get();
    const groups = group ? neural.grouping.groupsOf(neural.runs.charted(), group) : [];
    const title = h("span", { class: "control-label", text: group.slice(group.indexOf(":") + 1) });
    neural.replace(neural.$("legend"), groups.length ? [title, h("ul", { "aria-label": "Groups" }, groups.map(entry))] : null);
  }

  function start() {
    draw();
    neural.state.on("group selected", draw);
  }

  neural.legend = { start, draw };
})((window.neural = window.neural || {}));
