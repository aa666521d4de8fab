"""A W&B server on loopback that takes what W&B's client uploads, and remembers it: W&B itself reads its files for it.

It answers as much of W&B's protocol as `wandb sync` and an online run need. It judges nothing.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0" * 40
HANGS = -1


class Uploaded:
    """What has arrived of one run.

    Attributes:
        lines: of the history, as objects; a line that is uploaded again takes the place of the first.
        fields: of the run, as they were told last: displayName, notes, tags, config, groupName.
        artifacts: what was asked to be made.
        exit_codes: of each end.
        told: how many uploads there were.
    """

    def __init__(self) -> None:
        self.history: list[str] = []
        self.fields: dict[str, Any] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.exit_codes: list[int] = []
        self.summary: dict[str, Any] = {}
        self.offsets: list[int] = []

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Rows of the history."""
        return [json.loads(line) for line in self.history]

    def take(self, files: dict[str, Any]) -> None:
        """Take an upload of files."""
        for name, piece in files.items():
            if name == "wandb-history.jsonl":
                at = int(piece["offset"])
                self.offsets.append(at)
                self.history[at : at + len(piece["content"])] = piece["content"]
            elif name == "wandb-summary.json":
                self.summary = json.loads(piece["content"][-1])


class Server:
    """The server.

    Attributes:
        runs: id → what has arrived.
        refuses: answer everything with this HTTP status, 0 for none; HANGS answers nobody.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Uploaded] = {}
        self.refuses = 0
        self.asked = 0
        self.lock = threading.Lock()
        self._artifacts: list[dict[str, Any]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def serve(self) -> None:
        """Answer until it is closed."""
        self._http.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        """Answer no more."""
        self._http.shutdown()
        self._http.server_close()

    def run(self, run_id: str) -> Uploaded:
        """Give what has arrived of a run."""
        return self.runs.setdefault(run_id, Uploaded())

    def answer(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Answer one question of GraphQL."""
        match name:
            case "UpsertBucket":
                return self._upsert(variables)
            case "RunResumeStatus":
                return {"model": {"bucket": self._resumed(str(variables.get("name")))}}
            case "CreateArtifact":
                made = variables["input"]
                self.run(made["runName"]).artifacts.append(made)
                self._artifacts.append(made)
                at = str(len(self._artifacts) - 1)
                return {"createArtifact": {"artifact": {"id": at, "state": "COMMITTED", "artifactSequence": None}}}
            case "Viewer":
                return {
                    "viewer": {"id": "v", "entity": "team", "username": "team", "flags": "{}", "teams": {"edges": []}}
                }
            case "ArtifactByID":
                return {"artifact": _artifact(self._artifacts[int(variables["id"])])}
            case "ArtifactType":
                return {"project": {"artifact": None}}
            case "CreateRunFiles":
                files = [{"name": file, "uploadUrl": f"{self.url}/put/{file}"} for file in variables["files"]]
                return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
            case "ServerFeaturesQuery":
                return {"serverInfo": {"features": []}}
        return {}

    def _upsert(self, variables: dict[str, Any]) -> dict[str, Any]:
        run_id = str(variables["name"])
        is_new = run_id not in self.runs
        run = self.run(run_id)
        run.fields |= {key: value for key, value in variables.items() if value is not None}
        project = {"id": "p", "name": variables.get("project"), "entity": {"id": "e", "name": "team"}}
        bucket = {"id": "b", "name": run_id, "displayName": run.fields.get("displayName"), "project": project}
        return {"upsertBucket": {"bucket": {**bucket, "historyLineCount": len(run.history)}, "inserted": is_new}}

    def _resumed(self, run_id: str) -> dict[str, Any] | None:
        run = self.runs.get(run_id)
        if run is None or not run.history:
            return None
        return {
            "name": run_id,
            "historyLineCount": len(run.history),
            "eventsLineCount": 0,
            "logLineCount": 0,
            "historyTail": json.dumps(run.history[-1:]),
            "eventsTail": "[]",
            "summaryMetrics": json.dumps(run.summary),
            "config": run.fields.get("config", "{}"),
            "tags": run.fields.get("tags") or [],
            "wandbConfig": '{"t": {}}',
        }


def _artifact(made: dict[str, Any]) -> dict[str, Any]:
    """Give an artifact as it is once it was taken."""
    project = {"id": "p", "internalId": "p", "name": made["projectName"], "entity": {"name": "team"}}
    none = ("description", "metadata", "historyStep", "commitHash", "updatedAt")
    return {
        **dict.fromkeys(none),
        "id": "a",
        "artifactSequence": {"name": made["artifactCollectionName"], "project": project},
        "versionIndex": 0,
        "artifactType": {"name": made["artifactTypeName"]},
        "ttlDurationSeconds": -2,
        "ttlIsInherited": False,
        "tags": [],
        "state": "COMMITTED",
        "size": 1,
        "digest": made["digest"],
        "fileCount": 1,
        "createdAt": "2026-01-01T00:00:00Z",
        "aliases": [],
    }


@contextmanager
def serving() -> Iterator[Server]:
    """Give a server that answers."""
    server = Server()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            """Answer nothing in particular."""
            self._say({})

        def do_PUT(self) -> None:
            """Take a file."""
            self._body()
            self._say({})

        def do_POST(self) -> None:
            """Take a question, or an upload."""
            said = json.loads(self._body() or "{}")
            while server.refuses == HANGS:
                time.sleep(0.02)
            with server.lock:
                server.asked += 1
                if server.refuses:
                    self._say({"error": "refused"}, server.refuses)
                elif self.path.endswith("/graphql"):
                    (name,) = re.findall(r"\A\s*(?:query|mutation)\s+(\w+)", said["query"])
                    self._say({"data": server.answer(name, said.get("variables") or {})})
                else:
                    run = server.run(self.path.split("/")[-2])
                    run.take(said.get("files") or {})
                    if said.get("complete"):
                        run.exit_codes.append(int(said["exitcode"]))
                    self._say({"limits": {}})

        def handle(self) -> None:
            """Answer one connection; that the client leaves it is no matter."""
            with suppress(ConnectionError):
                super().handle()

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _say(self, answer: object, status: int = 200) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
