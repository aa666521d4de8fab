"use strict";
// Changes that people make: name, notes, tags, colour, trash. The server refuses a change made on an old state.
(function (neural) {
  const UNDO_SECONDS = 10;

  /** Change a run. Gives whether it was done; what went wrong is told. */
  async function update(id, change) {
    const run = neural.runs.get(id);
    if (!run) return false;
    try {
      const answer = await neural.api.update(id, { revision: run.revision, ...change });
      apply(run, change, answer.revision);
      return true;
    } catch (failed) {
      if (failed.status === 409) {
        await neural.live.refresh();
        neural.toast("Somebody else changed this run meanwhile. Look again, then repeat your change.", { kind: "bad", seconds: 8 });
      } else neural.fail(failed);
      return false;
    }
  }

  function apply(run, change, revision) {
    const next = { ...run, revision: revision ?? run.revision };
    if (change.name !== undefined) next.name = change.name;
    if (change.color !== undefined) next.color = change.color;
    if (change.notes !== undefined) next.notes = Boolean(change.notes);
    if (change.tags) {
      next.tags = neural.runs.plain(run.tags);
      for (const [name, text] of Object.entries(change.tags)) {
        if (text === null) delete next.tags[name];
        else next.tags[name] = text;
      }
    }
    neural.runs.put(next);
  }

  async function shelve(ids, away) {
    const done = [];
    for (const id of ids) if (await update(id, { tags: { [neural.runs.ARCHIVED]: away ? "" : null } })) done.push(id);
    return done;
  }

  /** Take runs out of the list, or back into it. The tag `archived` says so, to `neural ls` and to everybody else too. */
  async function archive(ids, away) {
    const { selected } = neural.state.get();
    const name = ids.length === 1 && neural.runs.get(ids[0]) ? `“${neural.runs.get(ids[0]).name}”` : "";
    const done = await shelve(ids, away);
    if (!done.length) return;
    if (away) neural.state.set({ selected: new Set([...selected].filter((id) => !done.includes(id))) });
    const undo = async () => {
      await shelve(done, !away);
      neural.state.set({ selected });
    };
    neural.toast(`${name || neural.format.plural(done.length, "run")} ${away ? "archived" : "back in the list"}`, { seconds: UNDO_SECONDS, action: { label: "Undo", work: undo } });
  }

  /** Move runs to the trash; for ten seconds they can be taken back. */
  async function trash(ids) {
    const names = ids.map((id) => neural.runs.get(id)).filter(Boolean).map((run) => run.name);
    const { selected } = neural.state.get();
    const done = [];
    for (const id of ids) {
      try {
        await neural.api.trash(id);
        done.push(id);
        neural.runs.forget(id);
      } catch (failed) {
        neural.fail(failed);
      }
    }
    if (!done.length) return;
    const kept = [...selected].filter((id) => !done.includes(id));
    neural.state.set({ selected: new Set(kept), run: done.includes(neural.state.get().run) ? "" : neural.state.get().run });
    const what = done.length === 1 ? `“${names[0]}”` : `${done.length} runs`;
    neural.toast(`${what} moved to the trash`, { seconds: UNDO_SECONDS, action: { label: "Undo", work: () => restore(done, selected) } });
  }

  async function restore(ids, selected) {
    for (const id of ids) await neural.api.restore(id).catch(neural.fail);
    await neural.live.refresh();
    neural.state.set({ selected: new Set([...selected].filter((id) => neural.runs.get(id))) });
  }

  neural.edits = { update, archive, trash };
})((window.neural = window.neural || {}));
