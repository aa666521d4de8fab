"use strict";
// Follows the folder: one small question every two seconds, never two at once, none while the page is hidden.
(function (neural) {
  const BUSY = 1000;
  const NORMAL = 2000;
  const IDLE = 10000;
  const SLOWEST = 30000;
  const FILLING = 250; // while the server has not read all runs yet
  let timer = 0;
  let asking = false;
  let failures = 0;

  function running() {
    return neural.runs.all().filter((run) => neural.runs.status(run) === "running");
  }

  function pause() {
    if (failures) return Math.min(SLOWEST, NORMAL * 2 ** failures);
    if (neural.runs.info().pending) return FILLING;
    const alive = running();
    if (!alive.length) return IDLE;
    return alive.some((run) => neural.state.get().selected.has(run.id)) ? BUSY : NORMAL;
  }

  function show() {
    const alive = running().length;
    const { pending } = neural.runs.info();
    const words = failures ? "Reconnecting" : pending ? `Reading ${neural.format.plural(pending, "more run")}` : alive ? `${alive} running` : "Up to date";
    neural.$("live").dataset.live = failures ? "lost" : alive ? "running" : "quiet";
    if (neural.$("live-text").textContent !== words) neural.$("live-text").textContent = words;
  }

  function take(answer) {
    const gone = (answer.removed || []).filter((id) => neural.state.get().selected.has(id));
    const names = gone.map((id) => neural.runs.get(id)).filter(Boolean).map((run) => run.name);
    const filling = neural.runs.info().pending;
    const fresh = neural.runs.merge(answer);
    if (gone.length) {
      const selected = new Set([...neural.state.get().selected].filter((id) => !gone.includes(id)));
      neural.state.set({ selected, run: gone.includes(neural.state.get().run) ? "" : neural.state.get().run });
      if (names.length) neural.toast(`${names.map((name) => `“${name}”`).join(", ")} ${names.length === 1 ? "is" : "are"} no longer in the folder`);
    }
    if (!filling) neural.selection.welcome(fresh);
    else if (!answer.pending) neural.selection.settle();
    if (answer.grown && answer.grown.length) neural.cards.grown(answer.grown);
    neural.main.emptiness();
  }

  async function ask() {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    try {
      take(await neural.api.changes(neural.runs.info().cursor));
      failures = 0;
    } catch (failed) {
      failures += 1;
    } finally {
      asking = false;
      neural.runs.age();
      show();
      timer = setTimeout(ask, pause());
    }
  }

  /** Take a list of all runs over. */
  function takeAll(answer) {
    const filling = neural.runs.info().pending;
    neural.runs.load(answer);
    if (filling && !answer.pending) neural.selection.settle();
  }

  /** Read the runs that the first answer left out, which had the newest only. */
  async function rest() {
    if (neural.runs.whole()) return;
    try {
      takeAll(await neural.api.runs());
    } catch (failed) {
      neural.fail(failed);
    }
    show();
  }

  /** Read everything anew, now. */
  async function refresh() {
    try {
      takeAll(await neural.api.runs());
      neural.selection.renew();
      neural.main.emptiness();
      neural.cards.reload();
      failures = 0;
    } catch (failed) {
      neural.fail(failed);
    }
    show();
  }

  function start() {
    show();
    timer = setTimeout(ask, pause());
    document.addEventListener("visibilitychange", () => !document.hidden && ask());
  }

  neural.live = { start, rest, refresh, ask };
})((window.neural = window.neural || {}));
