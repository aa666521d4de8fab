"use strict";
// The drawer with everything about one run; the charts stay in reach beside it.
(function (neural) {
  const h = neural.h;
  let detail = null;
  let before = null; // what had the focus

  const drawer = () => neural.$("drawer");
  const close = () => neural.state.set({ run: "" });

  function rename(run) {
    const box = h("input", { class: "form-control drawer-name", value: run.name, "aria-label": "Name of the run", maxlength: "300", title: "Click to rename" });
    const save = async () => {
      const name = box.value.trim();
      if (!name || name === run.name) {
        box.value = run.name;
        return;
      }
      if (!(await neural.edits.update(run.id, { name }))) box.value = run.name;
    };
    box.addEventListener("blur", save);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") box.blur();
      if (event.key === "Escape") box.value = run.name;
    });
    return box;
  }

  function head(run) {
    const color = h("button", { type: "button", class: "swatch-button", title: "Colour (c)", "aria-label": "Change the colour" }, neural.colors.swatch(run));
    color.addEventListener("click", () => neural.swatches.show(run.id, color));
    const only = h("button", { type: "button", class: "btn-quiet framed", text: "Show alone", onclick: () => neural.selection.solo(run.id) });
    const base = h("button", { type: "button", class: "btn-quiet framed", text: neural.state.get().base === run.id ? "Is the baseline" : "Make baseline", onclick: () => neural.state.set({ base: run.id }) });
    const archived = neural.runs.archived(run);
    const shelve = h("button", { type: "button", class: "btn-quiet framed", text: archived ? "Unarchive" : "Archive", title: archived ? "Back into the list of runs" : "Out of the list of runs; nothing is deleted", onclick: () => neural.edits.archive([run.id], !archived) });
    const remove = h("button", { type: "button", class: "btn-quiet framed danger", text: "Delete", "data-testid": "delete-run", title: "Move to the trash; can be taken back", onclick: () => neural.edits.trash([run.id]) });
    return [
      h("header", { class: "drawer-head" }, color, rename(run), neural.summary.pill(run), neural.iconButton("close", "Close (Esc)", close)),
      h("div", { class: "drawer-actions" }, only, base, h("div", { class: "spring" }), shelve, remove),
    ];
  }

  const focused = () => (drawer().contains(document.activeElement) ? document.activeElement : null);

  /** Say whether a person writes here: into the notes, or into a line that is not stored yet. */
  function writing() {
    const one = focused();
    return Boolean(one) && (one.tagName === "TEXTAREA" || (one.tagName === "INPUT" && one.value !== one.defaultValue));
  }

  function draw() {
    const run = neural.runs.get(neural.state.get().run);
    if (!run) return;
    const top = drawer().querySelector(".drawer-body") ? drawer().querySelector(".drawer-body").scrollTop : 0;
    const label = focused() && focused().getAttribute("aria-label");
    const sections = detail && detail.id === run.id ? neural.drawerParts.all(run, detail) : [h("p", { class: "faint", text: "Loading" })];
    const body = h("div", { class: "drawer-body" }, sections.filter(Boolean));
    drawer().setAttribute("aria-label", `Run ${run.name}`);
    neural.replace(drawer(), head(run), body);
    body.scrollTop = top;
    const again = label && [...drawer().querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === label);
    if (label) (again || drawer()).focus();
  }

  /** Draw again, unless a person is writing here. */
  function redraw() {
    if (!drawer().hidden && !writing()) draw();
  }

  async function read(id) {
    try {
      const answer = await neural.api.detail(id);
      if (neural.state.get().run !== id) return;
      detail = { ...answer, id };
      redraw();
    } catch (failed) {
      neural.fail(failed);
    }
  }

  function show() {
    const { run: id } = neural.state.get();
    const run = neural.runs.get(id);
    const wasOpen = !drawer().hidden;
    drawer().hidden = !run;
    document.body.classList.toggle("has-drawer", Boolean(run));
    if (!run) {
      if (id && !neural.runs.info().pending) neural.state.set({ run: "" }); // else it may still come
      if (wasOpen && before && before.isConnected) before.focus();
      return;
    }
    if (!wasOpen) before = document.activeElement;
    detail = null;
    draw();
    drawer().focus();
    read(id);
  }

  function start() {
    neural.state.on("run", show);
    neural.state.on("base", redraw);
    neural.runs.on((kind, ids) => {
      const { run } = neural.state.get();
      if (!run) return;
      if (!neural.runs.get(run)) return void (neural.runs.info().pending || neural.state.set({ run: neural.runs.copies(run)[0] || "" }));
      if (!ids.includes(run)) return;
      if (drawer().hidden) return void show();
      redraw();
      if (!writing()) read(run);
    });
    show();
  }

  neural.drawer = { start, close, redraw };
})((window.neural = window.neural || {}));
