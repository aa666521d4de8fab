"use strict";
// One small menu at a time, under its button, by mouse and by keyboard.
(function (neural) {
  const h = neural.h;
  let open = null;

  /** Give the button as it is now: what stands around it may have been drawn anew while its menu was open. */
  const current = (anchor) => (anchor.id && neural.$(anchor.id)) || anchor;

  function close(focus) {
    if (!open) return;
    const { element, anchor } = open;
    open = null;
    element.remove();
    const now = current(anchor);
    now.setAttribute("aria-expanded", "false");
    if (focus) now.focus();
  }

  /** Show whether an entry of a menu that stays open holds. */
  function turn(element, checked) {
    element.setAttribute("aria-checked", String(checked));
    element.firstElementChild.className = `icon i-${checked ? "check" : "none"}`;
  }

  function entry(item) {
    if (item.heading) return h("div", { class: "menu-heading", role: "presentation", text: item.heading });
    if (item.line) return h("hr", { class: "menu-line", role: "separator" });
    const radio = item.checked !== undefined;
    return h(
      "button",
      {
        type: "button", role: item.keep ? "menuitemcheckbox" : radio ? "menuitemradio" : "menuitem", tabindex: "-1", class: `menu-item ${item.class || ""}`, title: item.title,
        "aria-checked": radio ? String(Boolean(item.checked)) : null,
        onclick: (event) => (item.keep ? turn(event.currentTarget, item.work()) : close(true) || item.work()),
      },
      radio ? neural.icon(item.checked ? "check" : "none") : null,
      item.content || null,
      h("span", { class: "menu-text", text: item.label }),
      item.note ? h("span", { class: "menu-note", text: item.note }) : null,
    );
  }

  function onKey(event) {
    const items = [...open.element.querySelectorAll(".menu-item:not([hidden])")];
    const at = items.indexOf(document.activeElement);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close(true);
    else if (go !== undefined && items.length) items[(go + items.length) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function place(element, anchor) {
    const at = anchor.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const top = at.bottom + 6 + height > window.innerHeight - 8 ? Math.max(8, at.top - height - 6) : at.bottom + 6;
    element.style.top = `${top}px`;
    element.style.left = `${neural.clamp(at.right - width < 8 ? at.left : at.right - width, 8, window.innerWidth - width - 8)}px`;
  }

  function searchBox(element) {
    const box = h("input", { type: "search", class: "form-control form-control-sm menu-search", placeholder: "Search", "aria-label": "Search the menu" });
    box.addEventListener("input", () => {
      const text = box.value.toLowerCase();
      element.querySelectorAll(".menu-item").forEach((item) => {
        item.hidden = !item.textContent.toLowerCase().includes(text);
      });
    });
    return box;
  }

  /** Show these items (`{label, work, checked, note, content}`, `{heading}` or `{line}`) under a button. */
  function show(anchor, items, label) {
    const again = open && current(open.anchor) === anchor;
    close(false);
    if (again) return;
    const list = h("div", { role: "menu", class: "menu-list", "aria-label": label || anchor.getAttribute("aria-label") || anchor.textContent }, items.filter(Boolean).map(entry));
    const element = h("div", { class: "menu", onkeydown: onKey }, list);
    const search = items.length > 14 ? searchBox(list) : null;
    if (search) element.prepend(search);
    document.body.append(element);
    open = { element, anchor };
    anchor.setAttribute("aria-expanded", "true");
    place(element, anchor);
    (search || element.querySelector(".menu-item") || element).focus();
  }

  document.addEventListener("pointerdown", (event) => {
    if (open && !open.element.contains(event.target) && !current(open.anchor).contains(event.target)) close(false);
  });

  neural.menu = { show, close, place, isOpen: () => Boolean(open) };
})((window.neural = window.neural || {}));
