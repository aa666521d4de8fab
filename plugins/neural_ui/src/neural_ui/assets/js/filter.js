"use strict";
// The language of the run search: `lr<1e-3 adamw status:failed tag:paper /regex/ -debug "two words"`.
(function (neural) {
  const TOKEN = /(-?)(?:\/((?:[^/\\]|\\.)+)\/|"([^"]*)"|(\S+))/g;
  const COMPARISON = /^([^<>=!]+?)(<=|>=|!=|==|=|<|>)(.+)$/;
  const SHORT = { lr: "learning_rate", wd: "weight_decay", bs: "batch_size", arch: "architecture", opt: "optimizer" };

  /** Give what a run has under a name: a parameter, one of its last parts, or a metric's best value. */
  function lookup(run, name) {
    if (name in run.params) return run.params[name];
    const wanted = Object.hasOwn(SHORT, name) ? [name, SHORT[name]] : [name];
    for (const [key, value] of Object.entries(run.params)) {
      if (wanted.includes(key) || wanted.includes(key.split(/[./]/).pop())) return value;
    }
    if (name in run.metrics) return neural.runs.best(run, name).value;
    if (name === "name" || name === "id") return run[name];
    if (name === "duration") return neural.runs.duration(run);
    return undefined;
  }

  const NUMERIC = {
    "<": (a, b) => a < b,
    "<=": (a, b) => a <= b,
    ">": (a, b) => a > b,
    ">=": (a, b) => a >= b,
  };

  function equal(value, text) {
    if (value === undefined || value === null) return false;
    if (typeof value === "number" && text.trim() !== "" && !Number.isNaN(Number(text))) return value === Number(text);
    return String(value).toLowerCase() === text.toLowerCase();
  }

  function comparison(name, sign, text) {
    if (sign === "=" || sign === "==") return (run) => equal(lookup(run, name), text);
    if (sign === "!=") return (run) => lookup(run, name) !== undefined && !equal(lookup(run, name), text);
    const bound = Number(text);
    if (Number.isNaN(bound)) throw new Error(`“${text}” is not a number.`);
    return (run) => {
      const value = lookup(run, name);
      return typeof value !== "object" && value !== undefined && value !== "" && NUMERIC[sign](Number(value), bound);
    };
  }

  function tagged(text) {
    const [name, value] = text.toLowerCase().split("=");
    return (run) =>
      Object.entries(run.tags).some(([key, one]) => {
        const [tag, content] = [key.toLowerCase(), String(one).toLowerCase()];
        return value === undefined ? tag.includes(name) || content.includes(name) : tag === name && content === value;
      });
  }

  function haystack(run) {
    if (!run.haystack) {
      const parts = [run.name, run.id, ...Object.values(run.params).map(String), ...Object.entries(run.tags).flat().map(String)];
      Object.defineProperty(run, "haystack", { value: parts.join("\n").toLowerCase(), enumerable: false });
    }
    return run.haystack;
  }

  function word(text) {
    if (text.startsWith("status:")) return (run) => neural.runs.status(run).startsWith(text.slice(7).toLowerCase());
    if (text === "is:archived") return neural.runs.archived;
    if (text === "is:any") return () => true;
    if (text.startsWith("tag:")) return tagged(text.slice(4));
    const parts = COMPARISON.exec(text);
    if (parts) return comparison(parts[1].trim(), parts[2], parts[3]);
    const wanted = text.toLowerCase();
    return (run) => haystack(run).includes(wanted);
  }

  function regex(text) {
    try {
      const rule = new RegExp(text, "i");
      return (run) => rule.test(run.name);
    } catch (broken) {
      throw new Error(`/${text}/ is not a regular expression.`, { cause: broken });
    }
  }

  const SHELF = /^is:(archived|any)$/; // words that ask for archived runs too

  /** Give `{test, problem, archived}`: what a search shows, what of it cannot be read, and whether it asks for archived runs. */
  function parse(text) {
    const tests = [];
    let problem = "";
    let archived = false;
    for (const [, minus, expression, quoted, plain] of text.matchAll(TOKEN)) {
      try {
        archived ||= !minus && SHELF.test(plain || "");
        const test = expression ? regex(expression) : word(quoted ?? plain);
        tests.push(minus ? (run) => !test(run) : test);
      } catch (unreadable) {
        problem = unreadable.message;
      }
    }
    return { test: (run) => tests.every((test) => test(run)), problem, archived };
  }

  /** Give the search with archived runs, or without them when it has asked for them. */
  function shelf(text) {
    const words = text.split(/\s+/).filter(Boolean);
    const others = words.filter((one) => !SHELF.test(one));
    return (others.length < words.length ? others : [...words, "is:archived"]).join(" ");
  }

  neural.filter = { parse, lookup, shelf };
})((window.neural = window.neural || {}));
