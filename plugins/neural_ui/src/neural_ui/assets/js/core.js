"use strict";
// Elements, events and timing that every module uses. Data becomes text or attributes, never markup.
(function (neural) {
  const SVG = "http://www.w3.org/2000/svg";

  neural.$ = (id) => document.getElementById(id);

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "text") element.textContent = value;
      else if (name === "style") Object.entries(value).forEach(([key, one]) => element.style.setProperty(key, one));
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  /** Make an HTML element: attributes as written in HTML, `text`, `style` as an object, `onclick` and so on. */
  neural.h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

  /** Make an SVG element in the same way. */
  neural.svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

  neural.icon = (name) => neural.h("span", { class: `icon i-${name}`, "aria-hidden": "true" });

  /** Make a quiet button with an icon; the label is its name and its tooltip. */
  neural.iconButton = (name, label, onclick, more) =>
    neural.h("button", { type: "button", class: "btn-quiet", title: label, "aria-label": label, onclick, ...more }, neural.icon(name));

  neural.replace = (element, ...children) => element.replaceChildren(...children.flat().filter(Boolean));

  /** Call at most once in a pause of this many milliseconds, with the newest arguments. */
  neural.debounce = function (wait, work) {
    let timer = 0;
    return (...args) => {
      clearTimeout(timer);
      timer = setTimeout(() => work(...args), wait);
    };
  };

  /** Call once in the next frame, however often it is asked for. */
  neural.frame = function (work) {
    let asked = false;
    return () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        work();
      });
    };
  };

  /** Resolve after what is drawn now has been painted. */
  neural.painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  /** Give the elements between two positions of a page that scrolls: [first, last). */
  neural.clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /** Set a property of a Dash component. */
  neural.setProps = (id, props) => window.dash_clientside.set_props(id, props);

  /** Load a script of this server once it is needed. */
  neural.loadScript = (address) =>
    new Promise((done, failed) => {
      const script = neural.h("script", { src: address, onload: done, onerror: () => failed(new Error("A part of the page could not be loaded.")) });
      document.head.append(script);
    });

  neural.copy = async function (text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (denied) {
      const box = neural.h("textarea", { class: "visually-hidden" });
      box.value = text;
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    neural.toast(`${what} copied`);
  };

  /** Split a long name for an ellipsis in its middle: the end often tells runs apart. */
  neural.nameParts = function (given) {
    const name = given.replace(/[\r\n\t\v\f]+/g, " ");
    const tail = name.length > 18 ? name.slice(-7) : "";
    return [
      neural.h("span", { class: "head", text: tail ? name.slice(0, -7) : name }),
      tail ? neural.h("span", { class: "tail", text: tail }) : null,
    ];
  };

  /** Make a text that only screen readers tell. */
  neural.spoken = (text) => neural.h("span", { class: "visually-hidden", text });

  neural.name = (name, more) => neural.h("span", { class: "name", title: name, ...more }, ...neural.nameParts(name));
})((window.neural = window.neural || {}));
