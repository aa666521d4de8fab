"use strict";
// Notes as Markdown: markdown-it reads them, and what it found becomes elements here; none of it is ever markup.
(function (neural) {
  const h = neural.h;
  const MOST = 20000; // characters that are shown so; all of them are in the text
  const DEEPEST = 16;
  const PLAIN = new Set("p ul ol li blockquote strong em s table thead tbody tr th td".split(" "));
  let reader = null;

  /** Let only addresses of the web be links. */
  const isWeb = (address) => /^https?:\/\//i.test(address);

  async function library() {
    if (!window.markdownit) await neural.loadScript(document.querySelector('meta[name="neural-markdown"]').content);
    if (!reader) {
      reader = window.markdownit({ html: false, linkify: true, maxNesting: DEEPEST }).disable("image");
      reader.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
      reader.validateLink = isWeb;
    }
    return reader;
  }

  /** Make the element of something that holds others. */
  function holder(token) {
    if (token.tag === "a") return h("a", { href: token.attrGet("href"), title: token.attrGet("href"), target: "_blank", rel: "noopener noreferrer" });
    if (/^h[1-6]$/.test(token.tag)) return h(`h${Math.min(6, Number(token.tag[1]) + 3)}`); // under the page's own headings
    return h(PLAIN.has(token.tag) ? token.tag : "span", { start: token.tag === "ol" ? token.attrGet("start") : null });
  }

  /** Make what holds nothing but text. */
  function leaf({ type, content }) {
    if (type === "fence" || type === "code_block") return h("pre", {}, h("code", { text: content.replace(/\n$/, "") }));
    if (type === "code_inline") return h("code", { text: content });
    if (type === "softbreak" || type === "hardbreak") return h("br"); // who writes plain text means the ends of the lines
    return type === "hr" ? h("hr") : content;
  }

  /** Give the line of a list with its box, if it begins with one: `[ ]` or `[x]`. */
  function boxed([first, ...others]) {
    const box = first && first.type === "text" && /^\[([ xX])\]\s/.exec(first.content);
    return box ? [{ ...first, content: `${box[1] === " " ? "☐" : "☑"} ${first.content.slice(4)}` }, ...others] : [first, ...others];
  }

  function build(tokens, into) {
    const open = [into];
    for (const token of tokens) {
      const last = open[open.length - 1];
      if (token.hidden) continue; // the paragraph of a line in a list
      if (token.nesting < 0) open.pop();
      else if (token.nesting > 0) {
        const element = open.length > DEEPEST ? last : holder(token);
        if (element !== last) last.append(element);
        open.push(element);
      } else if (token.type === "inline") build(last.tagName === "LI" ? boxed(token.children) : token.children, last);
      else last.append(leaf(token));
    }
    return into;
  }

  /** Make the elements of a text. */
  async function render(text) {
    const made = build((await library()).parse(text.slice(0, MOST), {}), document.createDocumentFragment());
    if (text.length > MOST) made.append(h("p", { class: "faint", text: "The rest is in the text: Edit shows it." }));
    return made;
  }

  /** Show a text in an element: at once as it was written, then as Markdown. */
  async function show(element, text) {
    element.textContent = text;
    try {
      element.replaceChildren(await render(text));
    } catch (failed) {
      neural.fail(failed); // the text stays
    }
  }

  neural.markdown = { render, show };
})((window.neural = window.neural || {}));
