"use strict";
// The palette that opens from a colour box. A chosen colour is stored with the run.
(function (neural) {
  const h = neural.h;

  async function choose(id, color) {
    await neural.edits.update(id, { color });
  }

  /** Show the palette for a run beside an element. */
  function show(id, anchor) {
    const run = neural.runs.get(id);
    if (!run) return;
    const current = neural.colors.of(run);
    const colors = Array.from({ length: 10 }, (_, index) => neural.colors.at(index));
    const items = colors.map((color, index) => ({
      label: `Colour ${index + 1}`, class: "swatch-item", checked: color === current,
      content: h("span", { class: "swatch", style: { "--c": color } }), work: () => choose(id, color),
    }));
    const free = h("input", { type: "color", value: current, class: "free-color", "aria-label": "Another colour" });
    free.addEventListener("change", () => {
      neural.menu.close(true);
      choose(id, free.value);
    });
    neural.menu.show(anchor, [{ heading: neural.format.value(run.name).slice(0, 40) }, ...items, { line: true }, { label: "Colour by rule", work: () => choose(id, null) }], "Colour");
    const menu = document.querySelector(".menu");
    if (menu) menu.append(h("label", { class: "free-label" }, "Another colour", free));
  }

  neural.swatches = { show };
})((window.neural = window.neural || {}));
