"""Faults of plugins, of the companion and of the disk under a cursor: local records stay whole, nothing is lost."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import asdict
from delivery_support import (
    FOREVER,
    IMPATIENT,
    environment,
    finished,
    heard,
    install_probe,
    is_gone,
    rows,
    run,
    start,
    steps_once,
)
from distribution_support import make_distribution
from journal_support import listed, mounted, only, problems, steps

from neural_core._delivery.behind import say_who_is_behind
from neural_core._delivery.cursor import Cursor, CursorFile, cursors_of
from neural_core._delivery.replay import progress_of
from neural_core.testing import wait_for

HEAD = """
import os, sys, time
from neural_core import ExperimentTracker
from neural_core._delivery.launcher import launcher
runs, out = sys.argv[1:3]
def log(tracker, first, last):
    for step in range(first, last):
        tracker.log_metrics({"loss": step / 8}, step)
def wait_for_record(rows):
    # Else a deadline of finish() would be one for the start of the companion, too.
    while not os.path.exists(out) or open(out).read().count('{"loss"') < rows:
        time.sleep(0.01)
def train(**backend):
    return ExperimentTracker("train", runs, auto_visualize=False, backend={"record": {"path": out}, **backend})
"""
SOON = "5"
"""As NEURAL_FINISH_SECONDS: time for a companion that runs to tell of the end, whatever another plugin does."""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the backends for these tests."""
    return install_probe(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def run_with(probe: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Give a function that trains 500 rows with more backends beside a good one, checks records; gives warnings."""

    def train(backends: str, seconds: str = FOREVER) -> list[str]:
        wait = "wait_for_record(500); " if seconds == SOON else ""
        code = f"{HEAD}tracker = train({backends}); log(tracker, 0, 500); {wait}tracker.finish()"
        env = environment(probe, NEURAL_FINISH_SECONDS=seconds, NEURAL_LINGER="2")
        _, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        directory = only(tmp_path / "runs")
        assert (steps(directory), problems(directory)) == (list(range(500)), [])
        assert listed(directory).status == "completed"
        calls = heard(tmp_path / "out")
        assert steps_once(calls) == list(range(500))
        assert calls[-1]["hook"] == "neural_experiment_finished"
        return [line for line in errors.splitlines() if not line.startswith((" ", "Traceback"))]

    return train


class TestPlugins:
    @pytest.mark.fault("P02")
    @pytest.mark.parametrize("how", ["_exit", "abort"])
    def test_one_that_ends_the_process(self, run_with: Callable[..., list[str]], how: str) -> None:
        """A backend that ends its process every time is set aside and named; another one hears everything."""
        said = run_with(f"crashing={{'how': {how!r}}}", "50")
        assert said
        assert all("'crashing'" in line for line in said)
        assert len([line for line in said if "has not heard everything yet" in line]) == 1
        assert "ended the process that delivers to it" in said[-1]

    def test_one_that_ends_the_process_at_the_start(self, run_with: Callable[..., list[str]]) -> None:
        """So is one that ends its process when it first hears of the experiment, or is asked for its bookmark."""
        said = run_with("crashing={'hooks': ['neural_experiment_started']}, ending={}", "100")
        assert all("ended the process that delivers to it" in line for line in said[-2:])
        assert {"crashing", "ending"} == {line.split("'")[1] for line in said[-2:]}

    @pytest.mark.parametrize("how", ["_exit", "abort"])
    def test_one_that_ends_the_process_once(self, run_with: Callable[..., list[str]], tmp_path: Path, how: str) -> None:
        """A backend that ends its process once is started again with the companion, and nothing is said."""
        assert run_with(f"crashing={{'how': {how!r}, 'once': {str(tmp_path / 'crashed')!r}}}") == []
        assert (tmp_path / "crashed").exists()

    @pytest.mark.fault("P02")
    def test_sys_exit(self, run_with: Callable[..., list[str]]) -> None:
        """A backend that calls sys.exit has raised, like any other error: its process goes on."""
        first, last = run_with("crashing={'how': 'exit'}")
        assert "raised SystemExit in neural_metrics_logged: 70" in first
        assert "backend 'crashing' has not heard everything yet" in last

    @pytest.mark.fault("P01")
    def test_one_that_raises(self, run_with: Callable[..., list[str]]) -> None:
        """A backend that raises each time is told once when it begins and once at the end."""
        first, last = run_with("raising={}")
        assert "raised RuntimeError in neural_metrics_logged: raised on purpose" in first
        assert "backend 'raising' has not heard everything yet" in last

    def test_one_that_raises_twice(self, run_with: Callable[..., list[str]]) -> None:
        """A backend that raises twice is told once, and nothing that finish() speaks of: it has heard everything."""
        [line] = run_with("raising={'times': 2}")
        assert "raised on purpose, 1. It is tried again; nothing is lost" in line

    @pytest.mark.fault("P03")
    def test_one_that_hangs(self, run_with: Callable[..., list[str]]) -> None:
        """A backend that hangs is named at the deadline, with the number of rows that it has not got."""
        [line] = run_with("hanging={}", SOON)
        assert "backend 'hanging' has not heard everything yet (500 rows behind)" in line
        assert "neural sync" in line

    @pytest.mark.fault("P03")
    @pytest.mark.skipif(sys.platform == "win32", reason="the probe calls a C function that is not there")
    def test_one_that_holds_the_interpreter(self, tmp_path: Path, probe: Path) -> None:
        """A backend in whose call no other thread runs is one that ends its process: another one hears everything."""
        code = f"{HEAD}{IMPATIENT}tracker = train(holding={{}}); log(tracker, 0, 500); tracker.finish()"
        env = environment(probe, NEURAL_LINGER="0")
        _, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert "plugin 'holding' (probe 1.0) ended the process that delivers to it" in errors.splitlines()[-1]
        assert steps_once(heard(tmp_path / "out")) == steps(only(tmp_path / "runs")) == list(range(500))

    @pytest.mark.fault("P06")
    def test_one_that_does_not_import(self, run_with: Callable[..., list[str]]) -> None:
        """A backend that does not import is told with its package, and the others are served."""
        said = run_with("broken={}")
        assert all("broken" in line for line in said)
        assert "plugin 'broken' (probe 1.0) does not import" in said[-1]

    @pytest.mark.fault("P06")
    @pytest.mark.parametrize(
        ("backend", "seconds", "reason"),
        [("dying", "50", "ended the process that imports it"), ("sleeping", SOON, "500 rows behind")],
    )
    def test_one_that_harms_by_its_import(
        self, run_with: Callable[..., list[str]], backend: str, seconds: str, reason: str
    ) -> None:
        """A backend whose import ends the process or never returns is named, and the others are served."""
        said = run_with(f"{backend}={{}}", seconds)
        assert f"backend {backend!r} has not heard everything yet (" in said[-1]
        assert reason in said[-1]

    @pytest.mark.fault("P06")
    def test_one_whose_import_hangs_before_another(self, tmp_path: Path, probe: Path) -> None:
        """A backend whose import hangs keeps nothing from one that is named behind it."""
        code = f"""{HEAD}
backend = {{"sleeping": {{}}, "record": {{"path": out}}}}
tracker = ExperimentTracker("train", runs, auto_visualize=False, backend=backend)
log(tracker, 0, 500)
wait_for_record(500)
tracker.finish()
"""
        env = environment(probe, NEURAL_FINISH_SECONDS=SOON, NEURAL_LINGER="1")
        _, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert "backend 'sleeping' has not heard everything yet (500 rows behind)" in errors.splitlines()[-1]
        assert steps_once(heard(tmp_path / "out")) == steps(only(tmp_path / "runs")) == list(range(500))

    def test_one_that_hears_what_nobody_asked_for(self, run_with: Callable[..., list[str]], tmp_path: Path) -> None:
        """A backend whose options it does not take is told, and the others are served; their values are not."""
        said = run_with("slow={'paht': 's3cret'}")
        assert "plugin 'slow' (probe 1.0) cannot be made (options: 'paht'): TypeError: " in said[-1]
        assert "s3cret" not in "".join(said)
        stored = [path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()]
        assert not [content for content in stored if b"s3cret" in content]

    def test_one_that_cannot_say_where_it_delivers_to(self, run_with: Callable[..., list[str]]) -> None:
        """A backend whose `destination` raises is told, and the others are served."""
        said = run_with("lost={}")
        assert "plugin 'lost' (probe 1.0) cannot say where it delivers to: LookupError: no address" in said[-1]


class TestCompanion:
    def test_killed_again_and_again(self, tmp_path: Path, probe: Path) -> None:
        """Killed at twenty random moments, the companion is started again; each row comes, and once by position."""
        code = f"""{HEAD}
import random, signal, threading
tracker = ExperimentTracker("train", runs, auto_visualize=False, backend={{"slow": {{"path": out, "seconds": 0.01}}}})
random.seed(sys.argv[3])
def calls():
    return open(out, "rb").read().count(b"\\n") if os.path.exists(out) else 0
def kill():
    for _ in range(20):
        before = calls()
        while calls() < before + 2:  # of two that die in their first call, the plugin would be accused
            time.sleep(0.01)
        time.sleep(random.uniform(0.0, 0.3))
        pid = launcher.pid
        os.kill(pid, signal.SIGKILL)
        while launcher.pid == pid and launcher.is_running():
            time.sleep(0.01)
killer = threading.Thread(target=kill)
killer.start()
step = 0
while killer.is_alive():
    log(tracker, step, step + 997)
    step += 997
    if step % 3:
        tracker.flush()
    time.sleep(0.05)
tracker.finish()
print(step, launcher.starts)
"""
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", "seed", env=environment(probe))
        last, starts = map(int, output.split())
        calls = heard(tmp_path / "out")
        assert (steps_once(calls), errors) == (list(range(last)), "")
        assert len({(part, at) for part, at, _ in rows(calls)}) == last
        assert calls[-1]["hook"] == "neural_experiment_finished"
        assert starts >= 21
        assert steps(only(tmp_path / "runs")) == list(range(last))

    def test_killed_before_the_end(self, tmp_path: Path, probe: Path) -> None:
        """A companion killed just before finish() is started again by it."""
        code = f"""{HEAD}
import signal
tracker = train()
log(tracker, 0, 100)
tracker.flush()
log(tracker, 100, 200)
os.kill(launcher.pid, signal.SIGKILL)
tracker.finish()
print(launcher.starts)
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=environment(probe)) == ("2\n", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(200))

    def test_trainer_and_companion_killed(self, tmp_path: Path, probe: Path) -> None:
        """With both killed nothing runs any more; what was not delivered, the next `neural sync` delivers."""
        code = f"""{HEAD}
gated = {{"path": out, "gate": sys.argv[3], "before": 3}}
tracker = ExperimentTracker("both", runs, auto_visualize=False, backend={{"gated": gated}})
log(tracker, 0, 20_000)
print(launcher.pid, flush=True)
time.sleep(60)
"""
        env = environment(probe)
        process = start(code, tmp_path / "runs", tmp_path / "out", tmp_path / "gate", env=env)
        assert process.stdout is not None
        companion = int(process.stdout.readline())
        wait_for(lambda: rows(heard(tmp_path / "out")))
        os.kill(companion, 9)
        process.kill()
        process.communicate()
        wait_for(lambda: is_gone(companion))
        assert 0 < len(rows(heard(tmp_path / "out"))) < 20_000
        sync = """
import sys
from neural_core._delivery.replay import replay
from pathlib import Path
done = replay(Path(sys.argv[1]), "gated", {"path": sys.argv[2], "gate": sys.argv[3]})
print(done.complete)
"""
        (tmp_path / "gate").touch()
        arguments = (only(tmp_path / "runs"), tmp_path / "out", tmp_path / "gate")
        assert run(sync, *arguments, env=env) == ("True\n", "")
        calls = heard(tmp_path / "out")
        assert steps_once(calls) == list(range(20_000))
        assert calls[-1]["status"] == "interrupted"


class TestAccusation:
    def test_a_process_that_dies_in_a_call(self, tmp_path: Path) -> None:
        """Two deaths during a call accuse a plugin; a success or a request of the user's acquits it."""
        dying = """
import os, sys
from pathlib import Path
from neural_core._delivery.cursor import CursorFile
cursor = CursorFile(Path(sys.argv[1]), "0" * 32, "probe")
assert cursor.acquire()
with cursor.calling({"p": 1}):
    os._exit(0)
"""
        accused = []
        for _ in range(3):
            run(dying, tmp_path, env=environment())
            cursor = CursorFile(tmp_path, "0" * 32, "probe")
            accused.append(cursor.cursor.crashes + cursor.cursor.calling >= 2)
        assert accused == [False, False, True]
        assert cursor.acquire()
        assert cursor.is_accused
        cursor.release()
        assert cursor.acquire(forgive=True)
        assert not cursor.is_accused


FICKLE = """
import os
from neural_core.testing import RecordingPlugin
class Fickle(RecordingPlugin):
    # Fails while a file of the name of `where` lies in the folder.
    def __init__(self, path, folder):
        super().__init__(path)
        self.path, self.folder = path, folder
        self.fail("made")
    def fail(self, where):
        if os.path.exists(os.path.join(self.folder, where)):
            raise RuntimeError("not today")
    def destination(self):
        return self.path
    def heard(self, hook, arguments):
        self.fail("called")
        super().heard(hook, arguments)
"""


class TestAnotherDay:
    """What an earlier process left behind tells nothing of those who deliver now."""

    @pytest.fixture
    def code(self, tmp_path: Path) -> tuple[str, dict[str, str]]:
        """Give a script that makes an experiment, or resumes it, with a backend; and its environment."""
        points = {"neural.backends": {"fickle": "fickle:Fickle"}}
        folder = make_distribution(tmp_path / "site", "neural-fickle", points, fickle=FICKLE)
        code = f"""{HEAD}
make = ExperimentTracker if sys.argv[3] == "new" else ExperimentTracker.resume
backend = {{"fickle": {{"path": out, "folder": {str(tmp_path)!r}}}}}
tracker = make(sys.argv[4], runs, auto_visualize=False, backend=backend)
first = len(tracker.metrics_history)
log(tracker, first, first + 10)
tracker.finish()
print(tracker.experiment_id, tracker.delivered)
"""
        return code, environment(folder, NEURAL_LINGER="0")

    @pytest.mark.parametrize("where", ["made", "called"])
    def test_what_failed_then(self, tmp_path: Path, code: tuple[str, dict[str, str]], where: str) -> None:
        """A backend that failed in an earlier process is waited for like any other, and nothing old is said of it."""
        (tmp_path / where).touch()
        output, errors = run(code[0], tmp_path / "runs", tmp_path / "out", "new", "train", env=code[1])
        assert output.split()[1] == "False"
        assert "not today" in errors
        (tmp_path / where).unlink()
        ident = output.split()[0]
        said = run(code[0], tmp_path / "runs", tmp_path / "out", "resume", ident, env=code[1] | {"NEURAL_STRICT": "1"})
        assert said == (f"{ident} True\n", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(20))
        assert [cursor.state for cursor in cursors_of(only(tmp_path / "runs"))] == ["complete"]

    def test_another_destination(self, tmp_path: Path, code: tuple[str, dict[str, str]]) -> None:
        """With a new destination nobody waits for what the old one has not got."""
        (tmp_path / "called").touch()
        output, _ = run(code[0], tmp_path / "runs", tmp_path / "one", "new", "train", env=code[1])
        (tmp_path / "called").unlink()
        ident = output.split()[0]
        said = run(code[0], tmp_path / "runs", tmp_path / "two", "resume", ident, env=code[1])
        assert said == (f"{ident} True\n", "")
        assert steps_once(heard(tmp_path / "two")) == list(range(20))

    def test_what_could_not_be_made_then_is_synced(self, tmp_path: Path, code: tuple[str, dict[str, str]]) -> None:
        """After a sync nothing is left of a backend that could not be made before."""
        (tmp_path / "made").touch()
        run(code[0], tmp_path / "runs", tmp_path / "out", "new", "train", env=code[1])
        (tmp_path / "made").unlink()
        sync = """
import sys
from pathlib import Path
from neural_core._delivery.replay import replay
print(replay(Path(sys.argv[1]), "fickle", {"path": sys.argv[2], "folder": sys.argv[3]}).complete)
"""
        directory = only(tmp_path / "runs")
        assert run(sync, directory, tmp_path / "out", tmp_path, env=code[1]) == ("True\n", "")
        assert [cursor.state for cursor in cursors_of(directory)] == ["complete"]


@pytest.mark.parametrize("key", [key for key in asdict(Cursor()) if key not in ("bookmark", "error")])
def test_a_cursor_of_another_form(tmp_path: Path, key: str) -> None:
    """A file that holds what none of our cursors does is none: it stops neither delivery nor a look at all of them."""
    file = CursorFile(tmp_path, "0" * 32, "record")
    file.release()
    [place] = (tmp_path / "delivery").glob("*.json")
    for value in (["x"], 1.5, {"part": "x"} if key == "position" else ["y"]):
        place.write_text(json.dumps(json.loads(place.read_text()) | {key: value}))
        assert cursors_of(tmp_path) == []
        assert CursorFile(tmp_path, "0" * 32, "record").acquire()


def test_odd_names_have_cursors_of_their_own(tmp_path: Path) -> None:
    """Plugins whose names differ only where a file name may not have the character have a cursor each."""
    names = ["größe", "gr--e", "損失", "正解", "--", "a b", "a/b", "a-b"]
    for at, name in enumerate(names):
        file = CursorFile(tmp_path, "0" * 32, name)
        file.cursor.position = {"part": at}
        assert file.write()
    told = {cursor.plugin: cursor.position["part"] for cursor in cursors_of(tmp_path)}
    assert told == {name: at for at, name in enumerate(names)}
    assert [CursorFile(tmp_path, "0" * 32, name).cursor.position["part"] for name in names] == list(range(len(names)))


class TestDisk:
    @pytest.mark.privileged("mount")
    def test_full_disk_under_the_cursor(self, tmp_path: Path, probe: Path) -> None:
        """With a full disk under the cursors delivery goes on, finish() sees it, and the next one begins at its end."""
        code = f"""{HEAD}
tracker = ExperimentTracker("full", runs, auto_visualize=False)
print(tracker.experiment_dir, flush=True)
input()
tracker._deliver({{"record": {{"path": out}}}})
log(tracker, 0, 300)
tracker.flush()
log(tracker, 300, 500)
tracker.finish()
print(launcher.pid)
"""
        env = environment(probe, XDG_STATE_HOME=str(tmp_path / "state"))
        process = start(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert process.stdout is not None
        directory = Path(process.stdout.readline().strip())
        with mounted(directory / "delivery", "-o", "size=4k") as folder:
            (folder / "filler").write_bytes(b"x" * 4096)
            output, errors = finished(process, "\n")
            wait_for(lambda: is_gone(int(output)))
            assert errors == ""
            assert {path.name for path in folder.iterdir()} <= {"filler", "companion.log"}
        assert steps(directory) == list(range(500))
        calls = heard(tmp_path / "out")
        assert [step for _, _, step in rows(calls)] == list(range(500))
        assert [call["hook"] for call in calls].count("neural_experiment_finished") == 1
        [place] = (tmp_path / "state").rglob("*.json")
        assert '"complete"' in place.read_text()

    def test_no_place_for_a_cursor(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where no cursor can be kept at all, that is told once, and finish() does not say that nothing was heard."""
        (tmp_path / "delivery").write_text("in the way")
        monkeypatch.setattr("neural_core._delivery.cursor._elsewhere", lambda uid: tmp_path / "delivery" / uid)
        cursor = CursorFile(tmp_path, "0" * 32, "record")
        assert (cursor.acquire(), cursor.write(), cursor.write()) == (True, False, False)
        [record] = caplog.records
        assert "how far 'record' is cannot be kept" in record.getMessage()
        assert not say_who_is_behind(tmp_path, [], {"record": {}}, {})
        assert "has not heard everything yet (nothing is known of its delivery)" in caplog.text

    def test_an_experiment_that_was_taken_away(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A cursor of an experiment whose folder is gone makes none again, there or elsewhere, and nothing is said."""
        monkeypatch.setattr("neural_core._delivery.cursor._elsewhere", lambda uid: tmp_path / "state" / uid)
        cursor = CursorFile(tmp_path / "gone", "0" * 32, "record")
        cursor.acquire()
        divert = f"from neural_core._delivery.log_file import *; divert_output(log_of({str(tmp_path / 'gone')!r}))"
        assert run(divert, env=environment()) == ("", "")
        assert (cursor.write(), list(tmp_path.iterdir()), caplog.records) == (False, [], [])

    def test_a_folder_of_cursors_that_is_a_file(
        self, tmp_path: Path, probe: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where no cursor can be kept beside the experiment, it is kept, and found, in the user's own folder."""
        code = f"""{HEAD}
tracker = ExperimentTracker("file", runs, auto_visualize=False)
(tracker.experiment_dir / "delivery").write_text("in the way")
tracker._deliver({{"record": {{"path": out}}}})
log(tracker, 0, 500)
tracker.finish()
"""
        env = environment(probe, XDG_STATE_HOME=str(tmp_path / "state"))
        if sys.platform != "linux":
            pytest.skip("the user's folder is elsewhere")
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(500))
        assert len(list((tmp_path / "state").rglob("*.json"))) == 1
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        [progress] = progress_of(only(tmp_path / "runs"))
        assert (progress.cursor.plugin, progress.state) == ("record", "complete")
