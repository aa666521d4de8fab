"""The companion process: when it starts, how it lives, and when it ends."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from delivery_support import (
    IMPATIENT,
    environment,
    finished,
    heard,
    install_probe,
    is_gone,
    run,
    start,
    steps_once,
)
from distribution_support import make_distribution
from journal_support import TIMEOUT, listed, only, steps

from neural_core._delivery.cursor import cursors_of
from neural_core._delivery.log_file import LIMIT
from neural_core.testing import wait_for

HEAD = """
import os, sys, time
from neural_core import ExperimentTracker
from neural_core._delivery.launcher import launcher
runs, out = sys.argv[1:3]
def wait_for(condition):
    end = time.monotonic() + 150
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
def log(tracker, first, last):
    for step in range(first, last):
        tracker.log_metrics({"loss": step / 8}, step)
def record(name="train", **more):
    return ExperimentTracker(name, runs, auto_visualize=False, backend={"record": {"path": out}}, **more)
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the backends for these tests."""
    return install_probe(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def env(probe: Path) -> dict[str, str]:
    """Give the environment of a training script."""
    return environment(probe)


@pytest.fixture
def listening(tmp_path: Path) -> tuple[Path, Path]:
    """Give the folder of an installed plugin that is always on, and where it writes what it hears."""
    source = "from neural_core.testing import RecordingPlugin\n\ndef make():\n    return RecordingPlugin({!r})\n"
    points = {"neural.plugins": {"listening": "listening:make"}}
    path = tmp_path / "heard"
    return make_distribution(tmp_path / "packages", "listener", points, listening=source.format(str(path))), path


class TestStart:
    def test_none_without_work(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A tracker with neither backend nor plots starts no process; it only looks whether a plugin is always on."""
        code = """
import sys, time
from neural_core import ExperimentTracker
tracker = ExperimentTracker("plain", sys.argv[1], auto_visualize=False)
tracker.log_metrics({"loss": 1.0}, 0)
assert not [name for name in sys.modules if name.startswith("neural_core._delivery.d")]
time.sleep(2.2)
tracker.finish()
assert "neural_core._delivery.launcher" not in sys.modules
"""
        assert run(code, tmp_path, env=env) == ("", "")
        assert not (only(tmp_path) / "delivery").exists()

    @pytest.mark.parametrize("seconds", [0, 2.2])
    @pytest.mark.parametrize("companion", ["1", "0"])
    def test_for_a_plugin_that_is_always_on(
        self, tmp_path: Path, listening: tuple[Path, Path], seconds: float, companion: str
    ) -> None:
        """An installed plugin hears of every experiment whole: of a plain one, and of one that ends in a moment."""
        folder, path = listening
        code = f"""{HEAD}
tracker = ExperimentTracker("plain", runs, auto_visualize=False)
log(tracker, 0, 5)
time.sleep({seconds})
log(tracker, 5, 10)
tracker.finish()
"""
        env = environment(folder, NEURAL_COMPANION=companion)
        assert run(code, tmp_path / "runs", "", env=env) == ("", "")
        assert steps_once(heard(path)) == list(range(10))
        assert heard(path)[-1]["hook"] == "neural_experiment_finished"

    @pytest.mark.parametrize("looks", [1, 2], ids=["first", "second"])
    @pytest.mark.parametrize("companion", ["1", "0"])
    def test_the_end_waits_for_the_look_that_goes_on(
        self, tmp_path: Path, listening: tuple[Path, Path], companion: str, looks: int
    ) -> None:
        """An experiment that ends while the housekeeping thread still looks for plugins is told to them whole."""
        folder, path = listening
        code = f"""{HEAD}
import threading
from importlib import metadata
given, looks = metadata.entry_points, 0
def slowly(**group):
    global looks
    if threading.current_thread() is not threading.main_thread():
        looks += 1
        time.sleep(0.5)
    return given(**group)
metadata.entry_points = slowly
tracker = ExperimentTracker("plain", runs, auto_visualize=False)
log(tracker, 0, 10)
wait_for(lambda: looks == {looks})
tracker.finish()
"""
        env = environment(folder, NEURAL_COMPANION=companion)
        assert run(code, tmp_path / "runs", "", env=env) == ("", "")
        assert steps_once(heard(path)) == list(range(10))
        assert heard(path)[-1]["hook"] == "neural_experiment_finished"

    @pytest.mark.parametrize("companion", ["1", "0"])
    def test_a_name_that_two_packages_have_registered(
        self, tmp_path: Path, listening: tuple[Path, Path], companion: str
    ) -> None:
        """Of an installed plugin that is registered twice one hears everything, and the other is told of once."""
        folder, path = listening
        make_distribution(folder, "other", {"neural.plugins": {"listening": "listening:make"}})
        code = f"""{HEAD}
tracker = ExperimentTracker("plain", runs, auto_visualize=False)
log(tracker, 0, 5)
tracker.flush()
assert open({str(path)!r}).read().count('{{"loss"') == 5
log(tracker, 5, 10)
tracker.finish()
assert tracker.delivered
"""
        env = environment(folder, NEURAL_COMPANION=companion)
        _, errors = run(code, tmp_path / "runs", "", env=env)
        [line] = errors.splitlines()
        assert "another package has registered this name. It is left out" in line
        assert steps_once(heard(path)) == steps(only(tmp_path / "runs")) == list(range(10))

    @pytest.mark.parametrize("companion", ["1", "0"])
    def test_a_plugin_with_the_name_of_a_backend(self, tmp_path: Path, probe: Path, companion: str) -> None:
        """An installed plugin and a backend of one name each have a cursor: what one fails at, the other has heard."""
        points = {"neural.plugins": {"record": "neural_core.testing:RaisingPlugin"}}
        folder = make_distribution(tmp_path / "site", "twin", points)
        code = f"{HEAD}tracker = record(); log(tracker, 0, 10); tracker.finish(); print(tracker.delivered)"
        env = environment(folder, probe, NEURAL_COMPANION=companion, NEURAL_LINGER="0")
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert output == "False\n"
        assert "plugin 'record' has not heard everything yet (plugin 'record' (twin 1.0) raised" in errors
        assert "backend 'record'" not in errors
        assert steps_once(heard(tmp_path / "out")) == list(range(10))
        states = {one.whose: one.state for one in cursors_of(only(tmp_path / "runs"))}
        assert states == {("record", False): "complete", ("record", True): "set aside"}

    def test_relative_paths_are_the_script_s(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A backend finds what its options name by a relative path where the script was when the tracker was made."""
        code = f"""{HEAD}
os.makedirs("second")
first = ExperimentTracker("one", runs, auto_visualize=False, backend={{"record": {{"path": "heard"}}}})
os.chdir("second")
second = ExperimentTracker("two", runs, auto_visualize=False, backend={{"record": {{"path": "heard"}}}})
for tracker in (first, second):
    log(tracker, 0, 3)
    tracker.finish()
"""
        run(code, tmp_path / "runs", "", env=env, cwd=tmp_path)
        for place in (tmp_path, tmp_path / "second"):
            assert steps_once(heard(place / "heard")) == [0, 1, 2]

    def test_the_environment_is_the_script_s(self, tmp_path: Path) -> None:
        """A backend is made with the variables that the script had when it made the tracker, set or removed since."""
        source = """
            import os
            from neural_core.testing import RecordingPlugin
            def make():
                return RecordingPlugin(os.environ.get("PLACE", "nowhere"))
        """
        points = {"neural.backends": {"placed": "placed:make"}}
        folder = make_distribution(tmp_path / "packages", "placing", points, placed=textwrap.dedent(source))
        code = f"""{HEAD}
for place in ("first", "second", None):
    os.environ.pop("PLACE", None) if place is None else os.environ.update(PLACE=place)
    tracker = ExperimentTracker("one", runs, auto_visualize=False, backend="placed")
    log(tracker, 0, 3)
    tracker.finish()
assert launcher.starts == 1
"""
        assert run(code, tmp_path / "runs", "", env=environment(folder, PLACE="first"), cwd=tmp_path) == ("", "")
        for place in ("first", "second", "nowhere"):
            assert steps_once(heard(tmp_path / place)) == [0, 1, 2]

    def test_for_plots_with_the_first_tick(self, tmp_path: Path, env: dict[str, str]) -> None:
        """Automatic plots start the companion when the housekeeping thread sees rows, not before."""
        code = f"""{HEAD}
import threading
threads, follow = [], launcher.follow
def noted(*arguments):
    threads.append(threading.current_thread().name)
    return follow(*arguments)
launcher.follow = noted
tracker = ExperimentTracker("plots", runs)
assert launcher.starts == 0
log(tracker, 0, 20)
wait_for(launcher.is_running)
tracker.finish()
assert (threads[0], launcher.starts) == ("neural-housekeeping", 1), threads
"""
        assert run(code, tmp_path, "", env=env) == ("", "")
        assert list((only(tmp_path) / "plots").glob("auto_*.png"))

    def test_for_a_backend_at_once(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A named backend starts the companion at construction: nice'd, in a session of its own, on no terminal."""
        code = f"""{HEAD}
from pathlib import Path
tracker = record()
assert launcher.is_running()
fields = lambda: Path(f"/proc/{{launcher.pid}}/stat").read_text().rpartition(")")[2].split()
wait_for(lambda: int(fields()[16]) == min(19, os.nice(0) + 10))
assert os.getsid(launcher.pid) == launcher.pid != os.getsid(0)
streams = [os.readlink(f"/proc/{{launcher.pid}}/fd/{{number}}") for number in (0, 1, 2)]
given, *told = streams
assert given.startswith(("pipe:", os.devnull)) and not [one for one in told if one.startswith("/dev/")], streams
tracker.finish()
"""
        if not Path("/proc/self/stat").exists():
            pytest.skip("looks into /proc")
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")

    def test_a_resume_names_its_backend(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A resumed experiment is delivered to the backend that the resume names; it goes on where it was."""
        code = f"""{HEAD}
first = record()
log(first, 0, 10)
first.finish()
again = ExperimentTracker.resume(first.experiment_id, runs, False, {{"record": {{"path": out}}}})
log(again, 10, 20)
again.finish()
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        calls = heard(tmp_path / "out")
        assert [step for call in calls for _, step, _ in call.get("rows", ())] == list(range(20))
        assert [call["hook"] for call in calls].count("neural_experiment_finished") == 2

    def test_a_resume_before_the_first_end_is_noticed(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A companion that is told of a resumed experiment follows it, also when it has just seen its end."""
        code = f"""{HEAD}
from neural_core._delivery import log_file
from neural_core._delivery.companion import _Companion
from neural_core._storage import liveness
log_file._diverted = True
tracker = ExperimentTracker("resumed", runs, auto_visualize=False)
log(tracker, 0, 3)
said = dict(op="open", directory=str(tracker.experiment_dir), uid=tracker._session.state.uid)
said |= dict(trainer=liveness.this_process(), backends={{"record": {{"path": out}}}})
companion = _Companion()
def tell(command):
    companion.commands.put(command)
    companion.step()
tell(said)
crew = companion._crews[said["directory"]]
tracker.finish()
wait_for(lambda: crew.finished)
tracker = ExperimentTracker.resume(tracker.experiment_id, runs, auto_visualize=False)
tell(said)
log(tracker, 3, 6)
tracker.finish()
wait_for(lambda: companion.step() and not companion._crews)
companion.close()
"""
        out = tmp_path / "heard"
        assert run(code, tmp_path / "runs", out, env=env | {"NEURAL_COMPANION": "0"}) == ("", "")
        assert steps_once(heard(out)) == list(range(6))
        assert heard(out)[-1]["hook"] == "neural_experiment_finished"

    def test_one_that_asks_the_user(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A backend that reads from stdin finds nothing there: it neither waits nor takes away what is said to us."""
        code = f"""{HEAD}
tracker = ExperimentTracker("train", runs, auto_visualize=False, backend={{"asking": {{"path": out}}}})
log(tracker, 0, 10)
tracker.finish()
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(10))

    def test_ten_trackers_share_one(self, tmp_path: Path, env: dict[str, str]) -> None:
        """Ten trackers at once in one process share one companion, and each backend hears its own experiment."""
        code = f"""{HEAD}
trackers = [ExperimentTracker(f"t{{i}}", runs, auto_visualize=False,
                              backend={{"record": {{"path": f"{{out}}-{{i}}"}}}}) for i in range(10)]
for step in range(50):
    for i, tracker in enumerate(trackers):
        tracker.log_metrics({{"loss": float(i)}}, 100 * i + step)
for tracker in trackers:
    tracker.finish()
assert launcher.starts == 1
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        for i in range(10):
            calls = heard(tmp_path / f"out-{i}")
            assert steps_once(calls) == list(range(100 * i, 100 * i + 50))
            assert calls[-1]["hook"] == "neural_experiment_finished"
        assert len({call["pid"] for i in range(10) for call in heard(tmp_path / f"out-{i}")}) == 1
        stored = sorted(steps(directory) for directory in (tmp_path / "runs").glob("t*_*"))
        assert stored == [list(range(100 * i, 100 * i + 50)) for i in range(10)]


class TestSurroundings:
    def test_plugins_that_only_the_script_finds(self, tmp_path: Path, probe: Path) -> None:
        """A backend from a folder that the script put on its path is found by the companion, too."""
        code = f"import sys; sys.path[:0] = [{str(probe)!r}, {environment()['PYTHONPATH']!r}]\n{HEAD}"
        code += "tracker = record(); log(tracker, 0, 10); tracker.finish()"
        env = environment()
        del env["PYTHONPATH"]
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(10))

    def test_modules_of_the_user_hide_none(self, tmp_path: Path, env: dict[str, str]) -> None:
        """Files called random.py and queue.py beside the script and in the working directory break no companion."""
        folder = tmp_path / "project"
        folder.mkdir()
        code = f"{HEAD}tracker = record(); log(tracker, 0, 10); tracker.finish()"
        (folder / "queue.py").write_text("raise SystemExit('this is not the queue you want')")
        (folder / "random.py").write_text("raise SystemExit('this is not the random you want')")
        # The training process itself finds the standard library first; its path still names the folder.
        code = "import sys; sys.path.append(sys.path.pop(0))\n" + code
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env, cwd=folder) == ("", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(10))

    @pytest.mark.parametrize("way", ["script", "prompt", "pytest"])
    def test_however_it_is_run(self, tmp_path: Path, env: dict[str, str], way: str) -> None:
        """A script, Python's prompt and a test under pytest have a companion, as `python -c` has in the other tests."""
        out = tmp_path / "heard"
        options = f"backend={{'record': {{'path': {str(out)!r}}}}}"
        lines = [
            "from neural_core import ExperimentTracker",
            f"tracker = ExperimentTracker('train', {str(tmp_path / 'runs')!r}, {options})",
            "_ = [tracker.log_metrics({'loss': step / 8}, step) for step in range(20)]",
            "tracker.finish()",
        ]
        code = "\n".join(lines) + "\n"
        (tmp_path / "train.py").write_text(code)
        (tmp_path / "test_train.py").write_text("def test_train():\n" + textwrap.indent(code, "    "))
        more = {
            "script": ["train.py"],
            "prompt": ["-i", "-q"],
            "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_train.py"],
        }
        result = subprocess.run(
            [sys.executable, *more[way]],
            input=code,
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert steps_once(heard(out)) == steps(only(tmp_path / "runs")) == list(range(20))
        assert heard(out)[-1]["hook"] == "neural_experiment_finished"
        assert (only(tmp_path / "runs") / "delivery" / "companion.log").is_file()
        assert list((only(tmp_path / "runs") / "plots").glob("auto_*.png"))

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_workers(self, tmp_path: Path, env: dict[str, str], method: str) -> None:
        """Rows of multiprocessing workers reach the backend through the one companion of the training process."""
        script = tmp_path / "train.py"
        script.write_text(f"""
import multiprocessing
{HEAD}
def work(tracker, first):
    log(tracker, first, first + 50)
    assert launcher.starts == (multiprocessing.get_start_method() == "fork"), "a worker started a companion"
if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    tracker = record()
    log(tracker, 0, 50)
    workers = [multiprocessing.Process(target=work, args=(tracker, first)) for first in (50, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    pid = launcher.pid
    tracker.finish()
    assert (launcher.starts, launcher.pid) == (1, pid)
""")
        runner = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
        arguments = (script, tmp_path / "runs", tmp_path / "out")
        if method == "spawn":  # which imports the script's main module again
            command = [sys.executable, *map(str, arguments)]
            result = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT)
            assert (result.returncode, result.stderr) == (0, "")
        else:
            assert run(runner, *arguments, env=env) == ("", "")
        assert sorted(steps_once(heard(tmp_path / "out"))) == list(range(150))

    def test_a_child_that_exits(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A forked child that exits, with or without exit functions, neither stops nor starts a companion."""
        code = f"""{HEAD}
tracker = record()
log(tracker, 0, 10)
pid = launcher.pid
for leave in (sys.exit, os._exit):
    if not (child := os.fork()):
        log(tracker, 10, 20) if leave is sys.exit else None
        leave(0)
    assert os.waitpid(child, 0)[1] == 0
log(tracker, 20, 30)
tracker.flush()
assert launcher.is_running() and (launcher.pid, launcher.starts) == (pid, 1)
tracker.finish()
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        assert sorted(steps_once(heard(tmp_path / "out"))) == list(range(30))
        assert sorted(steps(only(tmp_path / "runs"))) == list(range(30))

    def test_threads_instead(self, tmp_path: Path, env: dict[str, str]) -> None:
        """With NEURAL_COMPANION=0 backends run in the training process, and plots are drawn by flush and finish."""
        code = f"""{HEAD}
from pathlib import Path
tracker = ExperimentTracker("threads", runs, backend={{"record": {{"path": out}}}})
log(tracker, 0, 20)
plots = ExperimentTracker("plots", runs)
log(plots, 0, 20)
plots._delivery.tick()
plots.finish()
tracker.finish()
assert launcher.starts == 0
for one in (tracker, plots):
    assert list(Path(one.experiment_dir, "plots").glob("auto_*.png"))
print(os.getpid())
"""
        env["NEURAL_COMPANION"] = "0"
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        calls = heard(tmp_path / "out")
        assert (steps_once(calls), errors) == (list(range(20)), "")
        assert {call["pid"] for call in calls} == {int(output)}

    @pytest.mark.parametrize("executable", ["", "#!/bin/sh\nexit 97\n"], ids=["none", "without us"])
    def test_no_python_to_start(self, tmp_path: Path, env: dict[str, str], executable: str) -> None:
        """Where sys.executable is empty or is a Python that cannot import neural, that is said once; threads do it."""
        path = ""
        if executable:
            (tmp_path / "python").write_text(executable)
            (tmp_path / "python").chmod(0o755)
            path = str(tmp_path / "python")
        code = f"{HEAD}sys.executable = {path!r}; tracker = record(); log(tracker, 0, 20); tracker.finish(); "
        code += "ExperimentTracker('more', runs, auto_visualize=False, backend={'record': {}}).finish()"
        _, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert steps_once(heard(tmp_path / "out")) == list(range(20))
        [line] = errors.splitlines()
        assert "plugins run on threads of this process" in line

    @pytest.mark.parametrize("executable", ["/bin/false", "/bin/true", "/bin/echo"])
    def test_no_python_at_all(self, tmp_path: Path, env: dict[str, str], executable: str) -> None:
        """Where sys.executable is another program, as in one that embeds Python, that is said once; threads do it."""
        code = f"{HEAD}sys.executable = {executable!r}; tracker = record(); log(tracker, 0, 20); tracker.finish()"
        _, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        [line] = errors.splitlines()
        assert line.startswith(executable)
        assert "plugins run on threads of this process" in line
        assert steps_once(heard(tmp_path / "out")) == steps(only(tmp_path / "runs")) == list(range(20))

    def test_one_that_is_killed_before_it_is_there(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A companion that is killed while it starts is no program that cannot be one: another is started."""
        code = f"""{HEAD}
import signal
tracker = record()
os.kill(launcher.pid, signal.SIGSTOP)
os.kill(launcher.pid, signal.SIGKILL)
log(tracker, 0, 20)
tracker.finish()
assert launcher.starts == 2
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(20))

    def test_plots_of_one_that_cannot_work(self, tmp_path: Path, env: dict[str, str]) -> None:
        """When only the end shows that the companion, which was to draw, cannot work, the end draws."""
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\nuntil [ -e {tmp_path}/go ]; do sleep 0.05; done\nexit 97\n")
        python.chmod(0o755)
        code = f"""{HEAD}
sys.executable = {str(python)!r}
tracker = ExperimentTracker("plots", runs, backend={{"record": {{"path": out}}}})
log(tracker, 0, 20)
finish = tracker._delivery.finish
def late(*position):
    open({str(tmp_path / "go")!r}, "w").close()
    finish(*position)
tracker._delivery.finish = late
assert tracker._delivery.draws_plots
tracker.finish()
"""
        _, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert errors.count("plugins run on threads of this process") == 1
        assert list((only(tmp_path / "runs") / "plots").glob("*.png"))
        assert steps_once(heard(tmp_path / "out")) == list(range(20))

    def test_a_broken_one_is_found_by_two_threads(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A companion that finds nothing is replaced by threads once, whoever notices it: all is heard one time."""
        code = f"""{HEAD}
import threading
from neural_core._delivery import discovery
from neural_core._delivery import launcher as module
module._BOOT = "import sys; sys.exit(1)"
tracker = record()
log(tracker, 0, 10)
wait_for(lambda: not launcher.is_running())
given, hurry, both = discovery.make_backend, module.Launcher.hurry, threading.Barrier(2)
def slowly(*what):
    time.sleep(0.5)
    return given(*what)
def at_once(*what):
    said = hurry(*what)
    try:
        both.wait(2)
    except threading.BrokenBarrierError:
        pass
    return said
discovery.make_backend, module.Launcher.hurry = slowly, at_once
ticking = threading.Thread(target=tracker._delivery.tick)
ticking.start()
tracker.flush()
ticking.join()
tracker.finish()
"""
        out = tmp_path / "heard"
        _, errors = run(code, tmp_path / "runs", out, env=env)
        assert errors.count("plugins run on threads of this process") == 1
        assert [step for call in heard(out) for _, step, _ in call.get("rows", ())] == list(range(10))

    @pytest.mark.parametrize("seconds", [0, 2.2])
    def test_an_import_on_a_thread_that_hangs(self, tmp_path: Path, seconds: float) -> None:
        """Without a companion neither a fork nor the end waits for an import that hangs; who heard nothing is said."""
        points = {"neural.plugins": {"listening": "never:make"}}
        folder = make_distribution(tmp_path / "packages", "listener", points, never="import time; time.sleep(1000)")
        code = f"""{HEAD}
tracker = ExperimentTracker("plain", runs, auto_visualize=False)
log(tracker, 0, 5)
if {seconds}:
    wait_for(lambda: "never" in sys.modules)
if not os.fork():
    os._exit(0)
assert os.wait()[1] == 0
tracker.finish()
assert not tracker.delivered
"""
        env = environment(folder, NEURAL_COMPANION="0", NEURAL_FINISH_SECONDS="0.5")
        _, errors = run(code, tmp_path / "runs", "", env=env)
        assert "they are still being imported" in errors

    def test_an_installed_plugin_on_a_thread_that_is_slow(self, tmp_path: Path) -> None:
        """Without a companion, too, an installed plugin that has not heard everything at the end is named."""
        source = (
            "import time\nfrom neural_core.testing import RecordingPlugin\n\n"
            "class Slow(RecordingPlugin):\n    def heard(self, hook, arguments):\n        time.sleep(1000)\n"
        )
        points = {"neural.plugins": {"listening": "listening:Slow"}}
        folder = make_distribution(tmp_path / "packages", "listener", points, listening=source)
        code = f"""{HEAD}
tracker = ExperimentTracker("plain", runs, auto_visualize=False)
log(tracker, 0, 5)
tracker.finish()
assert not tracker.delivered
"""
        env = environment(folder, NEURAL_COMPANION="0", NEURAL_FINISH_SECONDS="0.5")
        _, errors = run(code, tmp_path / "runs", "", env=env)
        assert "plugin 'listening' (listener 1.0) has not heard everything" in errors

    def test_an_import_that_hangs_keeps_nothing_from_a_backend(self, tmp_path: Path, probe: Path) -> None:
        """In the companion an installed plugin whose import hangs hangs alone: a backend hears of the experiment."""
        points = {"neural.plugins": {"listening": "never:make"}}
        folder = make_distribution(tmp_path / "packages", "listener", points, never="import time; time.sleep(1000)")
        code = f"""{HEAD}
tracker = record()
log(tracker, 0, 5)
wait_for(lambda: os.path.exists(out) and os.path.getsize(out))
"""
        out = tmp_path / "heard"
        assert run(code, tmp_path / "runs", out, env=environment(folder, probe, NEURAL_LINGER="0")) == ("", "")
        assert heard(out)[0]["hook"] == "neural_experiment_started"

    def test_options_that_cannot_be_handed_over(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A path is a fine option of a backend; an object that no other process can get is refused by name."""
        code = f"""{HEAD}
from pathlib import Path
ExperimentTracker("path", runs, auto_visualize=False, backend={{"record": {{"path": Path(out)}}}}).finish()
try:
    ExperimentTracker("object", runs, auto_visualize=False, backend={{"record": {{"path": object()}}}})
except TypeError as error:
    print(error)
"""
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert "options of a backend are text" in output
        assert errors == ""
        assert heard(tmp_path / "out")[-1]["hook"] == "neural_experiment_finished"

    def test_blocked_plots_are_not_waited_for(self, tmp_path: Path, env: dict[str, str]) -> None:
        """With every plugin blocked, flush() and finish() do not wait for plots that nobody draws."""
        code = f"{HEAD}tracker = ExperimentTracker('b', runs); log(tracker, 0, 20); tracker._delivery.tick()\n"
        env["NEURAL_DISABLE_PLUGINS"] = "*"
        assert run(code + "tracker.flush(); tracker.finish()", tmp_path, "", env=env) == ("", "")


class TestWhatItSays:
    def test_each_experiment_has_the_log(self, tmp_path: Path, env: dict[str, str]) -> None:
        """What the companion says is in the folder of each experiment that it follows, and once on the terminal."""
        code = f"""{HEAD}
trackers = [ExperimentTracker(name, runs, auto_visualize=False, backend=["raising"]) for name in ("one", "two")]
for tracker in trackers:
    log(tracker, 0, 5)
    tracker.finish()
"""
        _, errors = run(code, tmp_path / "runs", "", env=env | {"NEURAL_LINGER": "1"})
        told = "plugin 'raising' (probe 1.0) raised RuntimeError in neural_metrics_logged: raised on purpose, 1"
        assert [line for line in errors.splitlines() if "has not heard" not in line] == [
            f"{told}. It is tried again; nothing is lost"
        ]
        logs = [directory / "delivery" / "companion.log" for directory in (tmp_path / "runs").glob("*_*")]
        assert len(logs) == 2
        for log in logs:
            wait_for(lambda log=log: told in log.read_text())

    @pytest.mark.parametrize("ticks", [0, 1])
    def test_a_question_that_fails(self, tmp_path: Path, env: dict[str, str], ticks: int) -> None:
        """An installed plugin that raises when it is asked for plots is one line on the terminal; others are drawn."""
        folder = install_drawing(tmp_path / "package", "raise ValueError(str(len(history['loss'].value)))")
        env["PYTHONPATH"] = os.pathsep.join([str(folder), env["PYTHONPATH"]])
        code = f"""{HEAD}
tracker = ExperimentTracker("plots", runs)
log(tracker, 0, 20)
for _ in range({ticks}):
    tracker._delivery.tick()
    wait_for(lambda: list((tracker.experiment_dir / "plots").glob("*.png")))
log(tracker, 20, 40)
tracker.finish()
assert tracker.delivered
"""
        _, errors = run(code, tmp_path / "runs", "", env=env)
        [line] = errors.splitlines()
        assert line.startswith("plugin 'drawing' (drawing 1.0) raised ValueError in neural_make_plots: ")
        assert list((only(tmp_path / "runs") / "plots").glob("auto_*.png"))

    @pytest.mark.parametrize(
        ("what", "reason"), [("time.sleep(1000)", "20 rows behind"), ("os._exit(3)", "ended the process")]
    )
    def test_a_question_that_harms(self, tmp_path: Path, env: dict[str, str], what: str, reason: str) -> None:
        """One that hangs or ends its process when it is asked for plots costs the end of a short training nothing."""
        folder = install_drawing(tmp_path / "package", what)
        env["PYTHONPATH"] = os.pathsep.join([str(folder), env["PYTHONPATH"]])
        env |= {"NEURAL_FINISH_SECONDS": "10" if "sleep" in what else "60", "NEURAL_LINGER": "0"}
        code = f"{HEAD}tracker = ExperimentTracker('plots', runs); log(tracker, 0, 20); tracker.finish(); print('on')"
        output, errors = run(code, tmp_path / "runs", "", env=env)
        assert output == "on\n"
        assert "plugin 'auto-plots' has not heard everything yet" in errors.splitlines()[-1]
        assert reason in errors.splitlines()[-1]
        assert steps(only(tmp_path / "runs")) == list(range(20))


def install_drawing(folder: Path, what: str) -> Path:
    """Install a plugin that does this when it is asked for plots."""
    source = (
        "import os, time\nfrom neural_core.hookspecs import hookimpl\n\n"
        f"class Drawing:\n    @hookimpl\n    def neural_make_plots(self, history):\n        {what}\n"
    )
    return make_distribution(folder, "drawing", {"neural.plugins": {"drawing": "drawing:Drawing"}}, drawing=source)


class TestEnd:
    def test_all_heard_when_flush_returns(self, tmp_path: Path, env: dict[str, str]) -> None:
        """When flush() returns the backend has every row, when finish() returns the end; a second call does nothing."""
        code = f"""{HEAD}
from pathlib import Path
tracker = record()
for round in range(3):
    log(tracker, 1_000 * round, 1_000 * (round + 1))
    tracker.flush()
    print(sum(line.count('{{"loss"') for line in open(out)))
tracker.finish()
print(open(out).read().count("neural_experiment_finished"))
tracker.finish()
tracker.finish("failed")
print(open(out).read().count("neural_experiment_finished"), tracker.status)
"""
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert (output.split(), errors) == (["1000", "2000", "3000", "1", "1", "completed"], "")

    def test_it_ends_when_all_is_delivered(self, tmp_path: Path, env: dict[str, str]) -> None:
        """The companion ends soon after all is delivered, although training goes on; a new tracker starts another."""
        code = f"""{HEAD}
tracker = record()
log(tracker, 0, 10)
tracker.finish()
wait_for(lambda: not launcher.is_running())
second = record("second")
log(second, 10, 20)
second.finish()
assert launcher.starts == 2
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        assert steps_once(heard(tmp_path / "out")) == list(range(20))

    def test_it_ends_whatever_still_runs(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A thread that a backend has left running, and for which Python would wait, keeps no companion."""
        code = f"""{HEAD}{IMPATIENT}
tracker = ExperimentTracker("train", runs, auto_visualize=False, backend={{"staying": {{"path": out}}}})
log(tracker, 0, 10)
tracker.finish()
print(launcher.pid)
"""
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        assert (errors, steps_once(heard(tmp_path / "out"))) == ("", list(range(10)))
        wait_for(lambda: is_gone(int(output)))

    @pytest.mark.fault("D15")
    def test_it_ends_with_the_trainer(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A script that ends leaves no companion behind."""
        code = f"{HEAD}tracker = record(); log(tracker, 0, 10); print(launcher.pid); tracker.finish()"
        output, _ = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        wait_for(lambda: is_gone(int(output)))

    def test_a_script_without_finish(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A script that ends without finish() does not wait; the backend hears of all rows and of the interruption."""
        code = f"{HEAD}tracker = record(); log(tracker, 0, 5_000); print(launcher.pid)"
        output, errors = run(code, tmp_path / "runs", tmp_path / "out", env=env)
        wait_for(lambda: is_gone(int(output)))
        calls = heard(tmp_path / "out")
        assert (steps_once(calls), calls[-1]["status"], errors) == (list(range(5_000)), "interrupted", "")

    @pytest.mark.fault("P04")
    def test_the_rest_after_a_kill(self, tmp_path: Path, env: dict[str, str]) -> None:
        """100,000 rows undelivered when the trainer is killed all arrive, in order, and the end is `interrupted`."""
        code = f"""{HEAD}
gated = {{"path": out, "gate": sys.argv[3]}}
tracker = ExperimentTracker("killed", runs, auto_visualize=False, backend={{"gated": gated}})
log(tracker, 0, 100_000)
print(launcher.pid, flush=True)
time.sleep(60)
"""
        process = start(code, tmp_path / "runs", tmp_path / "out", tmp_path / "gate", env=env)
        assert process.stdout is not None
        companion = int(process.stdout.readline())
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        assert heard(tmp_path / "out") == []
        (tmp_path / "gate").touch()
        wait_for(lambda: is_gone(companion))
        calls = heard(tmp_path / "out")
        assert [step for call in calls for _, step, _ in call.get("rows", ())] == list(range(100_000))
        assert (calls[-1]["hook"], calls[-1]["status"]) == ("neural_experiment_finished", "interrupted")
        assert listed(only(tmp_path / "runs")).status == "interrupted"
        assert steps(only(tmp_path / "runs")) == list(range(100_000))

    @pytest.mark.fault("P05")
    def test_a_flooded_log_stays_small(self, tmp_path: Path, env: dict[str, str]) -> None:
        """A plugin that prints without end fills a file of one megabyte at most, and nothing on the terminal."""
        code = f"""{HEAD}
tracker = ExperimentTracker("flood", runs, auto_visualize=False, backend={{"flooding": {{"path": out}}}})
log(tracker, 0, 10)
tracker.finish()
"""
        assert run(code, tmp_path / "runs", tmp_path / "out", env=env) == ("", "")
        size = (only(tmp_path / "runs") / "delivery" / "companion.log").stat().st_size
        assert 0 < size <= LIMIT
        assert steps(only(tmp_path / "runs")) == list(range(10))
        assert heard(tmp_path / "out")[-1]["hook"] == "neural_experiment_finished"


COUNTING = """
import os
from neural_core.hookspecs import hookimpl
class Counting:
    @hookimpl
    def neural_make_plots(self, history):
        with open(os.environ["COUNTS"], "a") as file:
            print(len(history["loss"].value), file=file)
        return {}
"""


class TestPlots:
    @pytest.fixture
    def counts(self, tmp_path: Path, env: dict[str, str]) -> Path:
        """Install a plugin that draws nothing, and notes in this file how many rows each drawing shows."""
        points = {"neural.plugins": {"count": "counting:Counting"}}
        folder = make_distribution(tmp_path / "package", "count", points, counting=COUNTING)
        env["PYTHONPATH"] = os.pathsep.join([str(folder), env["PYTHONPATH"]])
        env["COUNTS"] = str(tmp_path / "counts")
        return tmp_path / "counts"

    def test_the_last_rows_after_a_kill(self, tmp_path: Path, env: dict[str, str], counts: Path) -> None:
        """The plots show the last rows also when the companion is killed between hearing of them and the end."""
        code = f"""{HEAD}
import signal
tracker = ExperimentTracker("plots", runs)
log(tracker, 0, 20)
tracker._delivery.tick()
tracker._delivery.flush(tracker._session.position())
log(tracker, 20, 25)
tracker._delivery.flush(tracker._session.position())
os.kill(launcher.pid, signal.SIGKILL)
tracker.finish()
assert launcher.starts == 2
"""
        assert run(code, tmp_path / "runs", "", env=env) == ("", "")
        assert counts.read_text().split()[-1] == "25"

    def test_plots_during_training(self, tmp_path: Path, env: dict[str, str], counts: Path) -> None:
        """Plots are there during training without flush, whole at every moment, drawn seldom, and last to the end."""
        code = f"""{HEAD}
tracker = ExperimentTracker("plots", runs)
step = 0
while not os.path.exists(out):
    tracker.log_metrics({{"loss": 1 / (step + 1), "accuracy": step / 400}}, step)
    time.sleep(0.01)
    step += 1
print(step + 3, flush=True)
input()
log(tracker, step, step + 3)
tracker.finish()
"""
        process = start(code, tmp_path / "runs", tmp_path / "enough", env=env)
        wait_for(lambda: (tmp_path / "runs").exists() and list((tmp_path / "runs").glob("*/plots/auto_*.png")))
        assert process.poll() is None
        plots = only(tmp_path / "runs") / "plots"
        began, looked = time.monotonic(), 0
        while looked < 20 or time.monotonic() - began < 2.0:
            looked += 1
            for path in plots.glob("*.png"):
                data = path.read_bytes()
                assert (data[:4], data[-8:]) == (b"\x89PNG", b"IEND\xaeB`\x82"), path
        (tmp_path / "enough").touch()
        assert process.stdout is not None
        logged = int(process.stdout.readline())
        before = [int(line) for line in counts.read_text().split()]
        assert finished(process, "\n") == ("", "")
        shown = [int(line) for line in counts.read_text().split()]
        assert shown[-1] == logged
        assert 1 <= len(before) <= 8  # one every 0.2 s would be twenty
        assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(before))
        assert {path.name for path in plots.iterdir()} == {path.name for path in plots.glob("auto_*.png")}
