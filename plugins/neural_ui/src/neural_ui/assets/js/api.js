"use strict";
// The only module that talks to the server.
(function (neural) {
  const ROOT = "/api/v1/";
  const KEPT = 20000; // characters; browsers keep 64 kB alive

  class ApiError extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }

  async function checked(answer) {
    if (answer.ok) return answer;
    let message = `The server answered ${answer.status}.`;
    try {
      message = (await answer.json()).error || message;
    } catch (noJson) {
      // the status says enough
    }
    throw new ApiError(answer.status, message);
  }

  const address = (path, query) => {
    const text = query ? new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined)) : "";
    return `${ROOT}${path}${text ? `?${text}` : ""}`;
  };

  const json = async (path, query, signal) => (await checked(await fetch(address(path, query), { signal }))).json();

  async function post(path, body) {
    const token = document.querySelector('meta[name="neural-token"]').content;
    const headers = { "Content-Type": "application/json", "X-Neural-Token": token };
    const said = JSON.stringify(body || {});
    const keepalive = said.length < KEPT; // it arrives although the page is being closed
    const answer = await fetch(ROOT + path, { method: "POST", headers, body: said, keepalive });
    const text = await (await checked(answer)).text();
    return text ? JSON.parse(text) : {};
  }

  const KINDS = { f8: Float64Array, f4: Float32Array };

  /** Give the places of arrays that stand one after the other. */
  const places = (one) => Object.fromEntries((one.arrays || []).map((name, index) => [name, [(one.offset + index * one.n) * 8, "f8"]]));

  /** Read an answer of `series`: header, then the arrays of each run without a copy. */
  function decode(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const start = 4 + length;
    const runs = new Map();
    for (const one of header.runs) {
      const series = { ...one };
      for (const [name, [offset, kind]] of Object.entries(one.at || places(one))) {
        series[name] = new KINDS[kind](buffer, start + offset, one.n);
      }
      for (const end of ["min", "max"]) if (series[`d_${end}`]) series[`at_${end}`] = series.x.map((x, i) => x + series[`d_${end}`][i]);
      runs.set(one.id, series);
    }
    return { ...header, runs };
  }

  /** Read the curves of one metric; see the server's documentation of `series` for the query. */
  async function series(query, signal) {
    const answer = await checked(await fetch(address("series", query), { signal }));
    return decode(await answer.arrayBuffer());
  }

  const run = (id) => `runs/${encodeURIComponent(id)}`;

  neural.api = {
    ApiError,
    address,
    checked,
    decode,
    series,
    changes: (cursor) => json("changes", { cursor }),
    runs: async (asked) => (await checked(await (asked || fetch(ROOT + "runs")))).json(),
    detail: (id) => json(run(id)),
    panels: () => json("panels"),
    panel: (name, runs) => json(`panels/${encodeURIComponent(name)}`, { runs }),
    update: (id, body) => post(run(id), body),
    trash: (id) => post(`${run(id)}/trash`),
    restore: (id) => post(`${run(id)}/restore`),
    direction: (metric, direction) => post("directions", { metric, direction }),
    artifact: (id, aid) => address(`${run(id)}/artifacts/${encodeURIComponent(aid)}`),
    plot: (id, pid) => address(`${run(id)}/plots/${encodeURIComponent(pid)}`),
  };
})((window.neural = window.neural || {}));
