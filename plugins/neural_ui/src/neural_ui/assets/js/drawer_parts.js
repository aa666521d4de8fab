"use strict";
// The sections of the drawer, each from the detail of one run.
(function (neural) {
  const h = neural.h;

  const section = (title, count, ...children) => h("section", { class: "drawer-section" }, h("h3", {}, title, count === null ? null : h("span", { class: "counts", text: String(count) })), ...children);

  const pair = (name, value) => [h("dt", { text: name }), h("dd", { text: value, title: value })];

  function overview(run) {
    const f = neural.format;
    return h(
      "dl", { class: "pairs" },
      h("dt", { text: "Id" }), h("dd", {}, h("button", { type: "button", class: "run-link", title: "Click to copy", text: run.id, onclick: () => neural.copy(run.id, "Id") })),
      pair("Started", f.fullTime(run.started)), pair("Ended", run.ended ? f.fullTime(run.ended) : "–"),
      pair("Duration", f.duration(neural.runs.duration(run))), run.error ? pair("Problem", run.error) : null,
    );
  }

  function tags(run) {
    const chips = Object.entries(run.tags).map(([name, text]) => {
      const shown = text === "" || String(text) === "true" || text === name ? name : `${name}: ${text}`;
      const remove = neural.iconButton("close", `Remove the tag ${name}`, () => neural.edits.update(run.id, { tags: { [name]: null } }));
      return h("span", { class: "chip" }, h("span", { text: shown }), remove);
    });
    const box = h("input", { class: "form-control form-control-sm tag-box", placeholder: "Add a tag: name or name=text", "aria-label": "Add a tag", maxlength: "120" });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !box.value.trim()) return;
      const [name, ...rest] = box.value.split("=");
      box.value = ""; // what is written is no draft any more
      neural.edits.update(run.id, { tags: { [name.trim()]: rest.length ? rest.join("=").trim() : "true" } });
    });
    return section("Tags", null, h("div", { class: "chips" }, chips), box);
  }

  function metrics(run) {
    const names = Object.keys(run.metrics).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const f = neural.format;
    const rows = names.slice(0, 400).map((name) => {
      const [one, best] = [run.metrics[name], neural.runs.best(run, name)];
      return h("tr", {}, h("th", { scope: "row" }, neural.name(name)), h("td", { class: "num", text: f.number(one.last, 5) }), h("td", { class: "num", text: f.number(best.value, 5) }), h("td", { class: "num faint", text: f.step(best.step) }), h("td", { class: "num faint", text: f.count(one.count) }));
    });
    const head = h("tr", {}, ["Metric", "Last", "Best", "at step", "Points"].map((text, index) => h("th", { scope: "col", class: index ? "num" : "", text })));
    return section("Metrics", names.length, names.length ? h("table", { class: "plain" }, h("thead", {}, head), h("tbody", {}, rows)) : h("p", { class: "faint", text: "None logged." }));
  }

  function params(run) {
    const names = neural.runs.paramsOf([run]);
    const rows = names.map((name) => h("tr", {}, h("th", { scope: "row" }, neural.name(name)), h("td", { class: "num", title: neural.format.value(run.params[name]), text: neural.format.value(run.params[name]) })));
    return section("Hyperparameters", names.length, names.length ? h("table", { class: "plain" }, h("tbody", {}, rows)) : h("p", { class: "faint", text: "None logged." }));
  }

  function artifact(run, one) {
    const link = h("a", { class: "artifact-name", href: neural.api.artifact(run.id, one.aid), download: "" }, neural.icon("download"), h("span", { text: one.name }));
    const sha = one.sha256 ? h("button", { type: "button", class: "sha", title: `SHA-256 ${one.sha256}: click to copy`, text: one.sha256.slice(0, 12), onclick: () => neural.copy(one.sha256, "Checksum") }) : h("span");
    const about = [one.version ? `v${one.version}`.replace("vv", "v") : "", one.kind || "", neural.format.bytes(one.size), Number.isFinite(one.time) ? neural.format.when(one.time) : ""].filter(Boolean).join(" · ");
    return h("li", { class: "artifact" }, link, h("span", { class: "faint", text: about }), sha);
  }

  function artifacts(run, detail) {
    const list = [...(detail.artifacts || [])].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }) || Number(b.version) - Number(a.version));
    return section("Artifacts", list.length, list.length ? h("ul", { class: "artifacts" }, list.slice(0, 200).map((one) => artifact(run, one))) : h("p", { class: "faint", text: "None logged." }));
  }

  function plots(run, detail) {
    const list = detail.plots || [];
    const pictures = list.map((one) => {
      const address = neural.api.plot(run.id, one.pid);
      const image = h("img", { src: address, alt: one.title, loading: "lazy" });
      image.addEventListener("error", () => image.replaceWith(h("span", { class: "faint", text: "This picture cannot be shown." })));
      return h("figure", {}, h("a", { href: address, target: "_blank", rel: "noopener", "aria-label": `Open ${one.title}` }, image), h("figcaption", { text: one.title }));
    });
    return list.length ? section("Plots", list.length, h("div", { class: "gallery" }, pictures)) : null;
  }

  function environment(detail) {
    const entries = Object.entries(detail.environment || {}).filter(([, value]) => value !== null && value !== "");
    if (!entries.length) return null;
    const rows = entries.flatMap(([name, value]) => pair(name.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)));
    return h("details", { class: "drawer-section" }, h("summary", {}, neural.icon("chevron"), h("h3", { text: "Environment" })), h("dl", { class: "pairs" }, rows));
  }

  /** Give all sections of a run. */
  const all = (run, detail) => [overview(run), tags(run), neural.notes.section(run, detail), metrics(run), params(run), artifacts(run, detail), plots(run, detail), environment(detail)];

  neural.drawerParts = { all };
})((window.neural = window.neural || {}));
