"use strict";
// Notes in a subset of Markdown: headings, lists, quotes, rules, code, emphasis, links. Makes elements, never markup.
(function (neural) {
  const h = neural.h;
  const MOST = 20000; // characters that are shown; all of them are in the text
  const DEEPEST = 5;
  const FENCE = /^\s{0,3}(```+|~~~+)/;
  const HEADING = /^(#{1,6})\s+(.+)$/;
  const RULE = /^\s{0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
  const QUOTE = /^\s{0,3}>\s?/;
  const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
  const TASK = /^\[([ xX])\]\s/;

  // Every repetition is bounded, so that no text takes long to read.
  const INLINE = new RegExp(
    [
      "\\\\(?<escaped>[!-/:-@[-`{-~])",
      "``(?<codes>[^\\n]{1,1000}?)``",
      "`(?<code>[^`\\n]{1,1000})`",
      "\\[(?<label>[^[\\]\\n]{1,500})\\]\\((?<href>[^()\\s]{1,2000})\\)",
      "(?<address>https?://[^\\s<>\"`]{1,2000})",
      "\\*\\*(?=\\S)(?<strong>[^]{0,1000}?\\S)\\*\\*(?!\\*)",
      "(?<![\\w*])\\*(?=[^\\s*])(?<em>[^*]{0,1000}?[^\\s*])\\*(?!\\w)",
      "(?<!\\w)__(?=\\S)(?<strong_>[^]{0,1000}?\\S)__(?!\\w)",
      "(?<!\\w)_(?=[^\\s_])(?<em_>[^_]{0,1000}?[^\\s_])_(?!\\w)",
      "~~(?=\\S)(?<del>[^]{0,1000}?\\S)~~",
    ].join("|"),
    "g",
  );

  /** Give the address when it leads to a page of the web, else null. */
  function web(address) {
    try {
      const url = new URL(address);
      return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
    } catch (broken) {
      return null;
    }
  }

  const link = (href, children) => h("a", { href, target: "_blank", rel: "noopener noreferrer", title: href }, children);

  /** Make a bare address a link; what ends the sentence does not belong to it. */
  function bare(text) {
    const address = text.replace(/[.,;:!?)\]'*_]{1,20}$/, "");
    const href = web(address);
    return href ? [link(href, [address]), text.slice(address.length)] : [text];
  }

  function piece({ 0: whole, groups: g }, depth) {
    if (g.escaped) return [g.escaped];
    if (g.codes || g.code) return [h("code", { text: g.code || g.codes.trim() })];
    if (g.label) {
      const href = web(g.href);
      return href ? [link(href, [g.label])] : [whole];
    }
    if (g.address) return bare(whole);
    const [tag, inner] = g.del ? ["del", g.del] : g.em || g.em_ ? ["em", g.em || g.em_] : ["strong", g.strong || g.strong_];
    return depth < DEEPEST ? [h(tag, {}, inline(inner, depth + 1))] : [whole];
  }

  /** Give the texts and elements of one run of text. */
  function inline(text, depth = 0) {
    const out = [];
    let at = 0;
    for (const match of text.matchAll(INLINE)) {
      out.push(text.slice(at, match.index), ...piece(match, depth));
      at = match.index + match[0].length;
    }
    out.push(text.slice(at));
    return out.filter((one) => one !== "");
  }

  function fenced(lines, at) {
    const mark = FENCE.exec(lines[at])[1];
    let end = at + 1;
    while (end < lines.length && !lines[end].trim().startsWith(mark)) end += 1;
    return [h("pre", {}, h("code", { text: lines.slice(at + 1, end).join("\n") })), end + 1];
  }

  function quoted(lines, at, depth) {
    let end = at;
    while (end < lines.length && QUOTE.test(lines[end])) end += 1;
    return [h("blockquote", {}, blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")), depth + 1)), end];
  }

  const isNumber = (mark) => /\d/.test(mark);
  const indent = (line) => line.length - line.trimStart().length;

  function itemOf(lines, depth) {
    const task = TASK.exec(lines[0]);
    if (task) lines[0] = lines[0].slice(4);
    const inner = blocks(lines, depth + 1);
    const [first, ...rest] = inner;
    const flat = first && first.tagName === "P" ? [...first.childNodes, ...rest] : inner; // a line needs no paragraph
    const box = task ? h("span", { class: "task", role: "img", "aria-label": task[1] === " " ? "open" : "done", text: task[1] === " " ? "☐" : "☑" }) : null;
    return h("li", { class: task ? "tasked" : null }, box, flat);
  }

  const begins = (line) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((rule) => rule.test(line));

  /** Read a list: an item goes on over the lines that are indented under it, and over text right after it. */
  function listed(lines, at, depth) {
    const [, margin, mark] = ITEM.exec(lines[at]);
    const deeper = (line) => indent(line) > margin.length + 1;
    const another = (line) => {
      const match = ITEM.exec(line);
      return match && !deeper(line) && isNumber(match[2]) === isNumber(mark) ? match : null;
    };
    const items = [];
    let end = at;
    for (; end < lines.length; end += 1) {
      const [line, next] = [lines[end], lines[end + 1] ?? ""];
      const match = another(line);
      if (match) items.push([match[3]]);
      else if (line.trim() === "" ? next.trim() === "" || !(deeper(next) || another(next)) : !deeper(line) && begins(line)) break;
      else items[items.length - 1].push(line.slice(Math.min(indent(line), margin.length + mark.length + 1)));
    }
    const start = isNumber(mark) ? Number.parseInt(mark, 10) : 1;
    return [h(isNumber(mark) ? "ol" : "ul", { start: start === 1 ? null : String(start) }, items.map((item) => itemOf(item, depth))), end];
  }

  function heading(line) {
    const [, marks, text] = HEADING.exec(line);
    return h(`h${Math.min(6, marks.length + 3)}`, {}, inline(text)); // under the page's own headings
  }

  /** Give the element that begins at a line and the line after it; null for a line of a paragraph. */
  function block(lines, at, depth) {
    const line = lines[at];
    if (FENCE.test(line)) return fenced(lines, at);
    if (HEADING.test(line)) return [heading(line), at + 1];
    if (RULE.test(line)) return [h("hr"), at + 1];
    if (depth < DEEPEST && QUOTE.test(line)) return quoted(lines, at, depth);
    if (depth < DEEPEST && ITEM.test(line)) return listed(lines, at, depth);
    return null;
  }

  function blocks(lines, depth) {
    const out = [];
    let paragraph = [];
    const flush = () => {
      if (paragraph.length) out.push(h("p", {}, inline(paragraph.join("\n"))));
      paragraph = [];
    };
    for (let at = 0; at < lines.length; ) {
      const found = lines[at].trim() === "" ? null : block(lines, at, depth);
      if (found || lines[at].trim() === "") flush();
      else paragraph.push(lines[at].trim());
      if (found) out.push(found[0]);
      at = found ? found[1] : at + 1;
    }
    flush();
    return out;
  }

  /** Make the elements of a text. */
  function render(text) {
    const shown = text.slice(0, MOST);
    const rest = text.length > MOST ? [h("p", { class: "faint", text: "The rest is in the text." })] : [];
    return [...blocks(shown.replace(/\r\n?/g, "\n").split("\n"), 0), ...rest];
  }

  neural.markdown = { render };
})((window.neural = window.neural || {}));
