"use strict";
// The notes of a run: shown as Markdown, written as plain text, saved when the box is left.
(function (neural) {
  const h = neural.h;
  const MOST = 100000;

  function box(text) {
    return h("textarea", { class: "form-control notes-text", rows: String(neural.clamp(text.split("\n").length + 1, 4, 18)), "aria-label": "Notes", placeholder: "What was the idea? What came out? Markdown is shown as such.", maxlength: String(MOST), text });
  }

  /** Save a text; what could not be saved is told, and is not what holds. */
  async function save(run, detail, text) {
    const before = detail.notes;
    detail.notes = text; // the drawer is drawn anew as soon as the list knows of the change
    const saved = await neural.edits.update(run.id, { notes: text });
    if (saved) neural.toast("Notes saved", { seconds: 2 });
    else detail.notes = before;
    return saved;
  }

  /** Make the place to write; `done` is called when it is left with nothing unsaved. */
  function editor(run, detail, done) {
    const area = box(detail.notes || "");
    const watch = new AbortController();
    let leaving = false;
    const kept = async () => area.value === (detail.notes || "") || save(run, detail, area.value);
    const leave = async (keep) => {
      if (leaving) return;
      leaving = true;
      if (!keep || (await kept())) {
        watch.abort();
        done();
      }
      leaving = false; // what could not be saved stays here
    };
    document.addEventListener("visibilitychange", () => area.isConnected && document.hidden && kept(), { signal: watch.signal }); // perhaps for ever
    area.addEventListener("blur", () => leave(true));
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) area.blur();
      if (event.key !== "Escape") return;
      event.stopPropagation(); // takes back what was written; the drawer stays open
      leave(false);
    });
    return area;
  }

  /** Make the section; empty notes are a box to write in. */
  function section(run, detail) {
    const place = h("div");
    const edit = h("button", { type: "button", class: "btn-quiet link", text: "Edit", "aria-label": "Edit the notes" });
    const write = () => {
      const area = editor(run, detail, show);
      edit.hidden = true;
      neural.replace(place, area);
      return area;
    };
    const show = () => {
      if (!detail.notes) return void write();
      edit.hidden = false;
      const shown = h("div", { class: "notes" });
      neural.replace(place, shown);
      neural.markdown.show(shown, detail.notes);
    };
    edit.addEventListener("click", () => write().focus());
    show();
    return h("section", { class: "drawer-section" }, h("h3", {}, "Notes", h("span", { class: "spring" }), edit), place);
  }

  neural.notes = { section };
})((window.neural = window.neural || {}));
