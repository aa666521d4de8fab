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

  /** Look again at what was chosen by rule, once all runs are read. */
  function settle(filling) {
    if (neural.runs.info().pending) return;
    neural.selection.settle();
    if (filling) neural.selection.mainMetric();
  }

  function take(answer) {
    const { selected, base } = neural.state.get();
    const gone = (answer.removed || []).filter((id) => selected.has(id)).map((id) => [id, neural.runs.get(id)]);
    const filling = neural.runs.info().pending;
    const fresh = neural.runs.merge(answer);
    const now = (id) => ((answer.removed || []).includes(id) ? neural.runs.copies(id) : [id]);
    if (gone.length) neural.state.set({ selected: new Set([...selected].flatMap(now)), base: now(base)[0] ?? base });
    const names = gone.filter(([id, run]) => run && !now(id).length).map(([, run]) => run.name);
    if (names.length) neural.toast(`${names.map((name) => `“${name}”`).join(", ")} ${names.length === 1 ? "is" : "are"} no longer in the folder`);
    if (filling || fresh.length) settle(filling);
    if (answer.grown && answer.grown.length) neural.cards.grown(answer.grown);
    neural.main.emptiness();
  }

  const session = (cursor) => String(cursor).split("-")[0];

  /** Read what has changed; or everything, when a list was not read to its end, or by a server that was started since. */
  async function follow() {
    const { cursor } = neural.runs.info();
    const whole = neural.runs.whole();
    const answer = whole && (await neural.api.changes(cursor));
    if (whole && session(answer.cursor) === session(cursor)) return take(answer);
    takeAll(await neural.api.runs());
    return whole && neural.cards.reload();
  }

  async function ask() {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    try {
      await follow();
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
    settle(filling);
    neural.main.emptiness();
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

  /** Read everything anew, now; at the start it is on its way. */
  async function refresh() {
    if (neural.runs.info().cursor === null) return;
    try {
      takeAll(await neural.api.runs());
      if (!neural.state.get().selected.size) neural.selection.initial();
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
