"use strict";
// Short messages at the bottom; one may offer to take something back.
(function (neural) {
  const h = neural.h;

  /** Show a message. `action` is `{label, work}`; `seconds` how long it stays; `after` is called when it has gone unused. */
  neural.toast = function (message, { action, seconds = 4, kind = "", after } = {}) {
    const host = neural.$("toasts");
    let used = false;
    const remove = () => {
      if (!element.isConnected) return;
      element.remove();
      if (!used && after) after();
    };
    const button = action && h("button", { type: "button", class: "toast-action", text: action.label });
    const close = neural.iconButton("close", "Dismiss", remove);
    const element = h("div", { class: `note ${kind}`, "data-testid": "toast" }, h("span", { class: "note-text", text: message }), button, close);
    if (button) {
      button.addEventListener("click", () => {
        used = true;
        remove();
        action.work();
      });
    }
    host.append(element);
    while (host.childElementCount > 4) host.firstElementChild.remove();
    setTimeout(remove, seconds * 1000);
    return remove;
  };

  /** Tell of a failure in its own words. */
  neural.fail = (failed) => neural.toast(failed.message || String(failed), { kind: "bad", seconds: 8 });
})((window.neural = window.neural || {}));
