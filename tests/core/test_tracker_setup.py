"""Names, folders, settings and the environment: bad ones raise at construction, in one sentence that helps."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from journal_support import stamps

from neural.tracking import (
    ExperimentComparisonUI,
    ExperimentManager,
    ExperimentTracker,
    create_integration,
    launch_comparison_ui,
)
from neural_core.errors import (
    ArgumentError,
    ArgumentTypeError,
    ConfigurationError,
    ExperimentNotFoundError,
    NotInstalledError,
    StorageError,
)

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "../x", "../../x", "/etc/x", "a/b", "a\\b", "C:\\x", "..", ".", "nul\0", "new\nline", "%2e%2e%2f", "~", "-rf",
    "x" * 300, "\U0001f680" * 80, "\ud800", "é", "e\u0301", "CON", "nul.txt", "dot.", "space ", "\u202eabc", "   ",
    ".hidden", "A", "a", "$(touch x)", "*", "a_b_0123456789ab",
]  # fmt: skip


def run(script: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


class TestNames:
    @pytest.mark.fault("N01")
    def test_any_text_is_a_name(self, tmp_path: Path) -> None:
        """A name is kept exactly; its folder lies in the base folder, is its own on any disk, and hides nothing."""
        base = tmp_path / "outer" / "base"
        for name in NAMES:
            with ExperimentTracker(name, base, False) as tracker:
                tracker.log_metrics({"m": 1.0})
            assert tracker.experiment_name == name
            assert tracker.experiment_dir.parent == base
        folders = {path.name for path in base.iterdir() if path.name != ".gitignore"}
        assert len({folder.lower() for folder in folders}) == len(NAMES)
        assert all(
            folder.isascii() and folder.isprintable() and not set(folder) & set('/\\:*?"<>| ~$') for folder in folders
        )
        assert not any(folder.startswith((".", "-")) or folder.endswith((".", " ")) for folder in folders)
        assert sorted(row["experiment_name"] for row in ExperimentManager(base).list_experiments()) == sorted(NAMES)
        assert [path.name for path in (tmp_path / "outer").iterdir()] == ["base"]

    @pytest.mark.fault("N01")
    @pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:14])
    def test_a_name_survives_loading(self, tmp_path: Path, name: str) -> None:
        """Loading, listing and comparing know an experiment of any name."""
        tracker = ExperimentTracker(name, tmp_path, False)
        tracker.finish()
        manager = ExperimentManager(tmp_path)
        assert manager.get_experiment(tracker.experiment_id).experiment_name == name
        assert manager.runs()[0].name == name

    @pytest.mark.fault("N02")
    @pytest.mark.parametrize("name", ["", 3, b"x", Path("x"), "x" * 10_001, ["x"]], ids=lambda name: repr(name)[:9])
    def test_other_names_are_refused(self, tmp_path: Path, name: Any) -> None:
        """What is no text, empty or endless raises before a folder is made."""
        with pytest.raises(ArgumentError, match="experiment_name"):
            ExperimentTracker(name, tmp_path / "base")
        assert not (tmp_path / "base").exists()

    def test_no_name_is_the_time(self, tmp_path: Path) -> None:
        """Without a name an experiment is called by the time it began; two of one second are two."""
        first, second = ExperimentTracker(base_dir=tmp_path), ExperimentTracker(base_dir=tmp_path)
        assert first.experiment_name.startswith("experiment-20")
        assert first.experiment_id != second.experiment_id
        assert first.experiment_dir != second.experiment_dir

    def test_an_id_is_12_hex_digits(self, tmp_path: Path) -> None:
        """Ids are random, and the folder shows them."""
        trackers = [ExperimentTracker("same", tmp_path, False) for _ in range(20)]
        ids = {tracker.experiment_id for tracker in trackers}
        assert len(ids) == 20
        assert all(len(one) == 12 and int(one, 16) >= 0 for one in ids)
        assert all(tracker.experiment_dir.name == f"same_{tracker.experiment_id}" for tracker in trackers)


class TestBaseFolder:
    @pytest.mark.fault("N07")
    def test_a_relative_folder_stays_where_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """``chdir`` in the middle of a training changes nothing: rows, artifacts and plots go where they went."""
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        tracker = ExperimentTracker("x", "runs", False)
        manager = ExperimentManager("runs")
        tracker.log_metrics({"m": 1.0})
        monkeypatch.chdir(tmp_path / "elsewhere")
        Path("model.pt").write_bytes(b"weights")
        tracker.log_metrics({"m": 2.0, "new": 1.0})
        tracker.log_model("model.pt", framework="pytorch")
        tracker.finish()
        assert manager.get_experiment(tracker.experiment_id).get_metrics("m") == [1.0, 2.0]
        assert tracker.experiment_dir.is_absolute()
        assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["model.pt"]

    def test_the_default_is_in_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a base folder experiments go to ``neural_experiments``; git is told to leave it alone."""
        monkeypatch.chdir(tmp_path)
        tracker = ExperimentTracker("x")
        assert tracker.experiment_dir.parent == tmp_path / "neural_experiments"
        assert "*" in (tmp_path / "neural_experiments" / ".gitignore").read_text().splitlines()
        assert ExperimentManager().list_experiments()

    def test_neural_dir_stands_in_for_the_default(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """NEURAL_DIR moves the default folder, and never one that was given."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("NEURAL_DIR", str(tmp_path / "moved"))
        assert ExperimentTracker("x").experiment_dir.parent == tmp_path / "moved"
        assert ExperimentManager().base_dir == tmp_path / "moved"
        assert ExperimentTracker("x", tmp_path / "given").experiment_dir.parent == tmp_path / "given"

    @pytest.mark.fault("N07")
    @pytest.mark.parametrize("name", ["with space", "ünïcode", "a\udcff", "semi;colon", "percent%20", "q?u#e"])
    def test_odd_folders_work(self, tmp_path: Path, name: str) -> None:
        """Blanks, bytes that are no UTF-8 and characters of URLs are fine in a base folder."""
        base = tmp_path / name
        with ExperimentTracker("x", base) as tracker:
            tracker.log_metrics({"m": 1.0}, step=0)
        (row,) = ExperimentManager(base).list_experiments()
        assert row["status"] == "completed"
        assert ExperimentManager(base).get_experiment(tracker.experiment_id).get_metrics("m") == [1.0]

    @pytest.mark.fault("N07")
    def test_home_is_a_tilde(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """``~`` is the home folder."""
        monkeypatch.setenv("HOME", str(tmp_path))
        assert ExperimentTracker("x", "~/runs").experiment_dir.parent == tmp_path / "runs"

    @pytest.mark.fault("N07")
    @pytest.mark.parametrize(
        "base",
        [3, None, b"x", ["x"], "", "a\0b", "x" * 4000, "/".join(["y" * 200] * 25), "\ud800", "~nobody-at-all/x"],
        ids=lambda base: ascii(base)[:14],
    )  # fmt: skip
    def test_folders_that_cannot_be_are_refused(
        self, tmp_path: Path, base: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What can be no folder raises ConfigurationError with the argument's name, and makes nothing."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigurationError, match="base_dir"):
            ExperimentTracker("x", base)
        assert not list(tmp_path.iterdir())

    @pytest.mark.fault("N07")
    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        """A base folder that is a file, or lies below one, is refused with its path."""
        (tmp_path / "file").write_text("mine")
        for base in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(ConfigurationError, match="file"):
                ExperimentTracker("x", base)
        with pytest.raises(ConfigurationError, match="is a file"):
            ExperimentManager(tmp_path / "file")
        assert (tmp_path / "file").read_text() == "mine"

    @pytest.mark.fault("N08")
    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
    def test_the_umask_rules(self, tmp_path: Path, mask: int) -> None:
        """Files and folders get what the umask leaves, never a right for all that it does not; no temp file is left."""
        base = tmp_path / "base"
        source = tmp_path / "model.pt"
        source.write_bytes(b"weights")
        source.chmod(0o600)
        before = os.umask(mask)
        try:
            with ExperimentTracker("x", base) as tracker:
                tracker.log_hyperparameters({"lr": 0.1})
                tracker.log_metrics({"m": 1.0}, step=0)
                tracker.log_model(source)
            (base / "probe").touch()
        finally:
            os.umask(before)
        (base / "probe").unlink()
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [base, *base.rglob("*")]}
        assert all(mode & ~(0o777 & ~mask) == 0 for mode in modes.values()), modes
        assert not any(mode & 0o111 for path, mode in modes.items() if path.is_file())
        assert not [path for path in modes if "tmp" in path.name or path.name.endswith("~")]


class TestEnvironment:
    def test_disabled_does_nothing_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With NEURAL_MODE=disabled every verb is a no-op: no file, no thread, no error, also for a backend."""
        monkeypatch.setenv("NEURAL_MODE", "disabled")
        monkeypatch.chdir(tmp_path)
        threads = set(threading.enumerate())
        with ExperimentTracker("x", backend="mlflow", hyperparameters={"a": 1}, tags=["b"], notes="c") as tracker:
            tracker.log_hyperparameters({"lr": 0.1})
            tracker.log_metrics({"m": 1.0}, step=0)
            tracker.log_metric("m", 1.0)
            assert tracker.log_artifact("no such file") is None
            assert tracker.log_model("no such file", framework="pytorch") is None
            assert tracker.log_figure(object(), "x.png") is None
            tracker.set_status("failed")
            tracker.set_tags(["a"])
            tracker.set_notes("b")
            tracker.flush()
            assert tracker.get_metrics("m") == []
            assert len(tracker.metrics_history) == 0
            assert tracker.get_best_metric("m", mode="max") == (None, None)
            assert tracker.list_artifact_versions("model.pt") == []
            assert tracker.get_artifact_version("model.pt") is None
            assert tracker.generate_visualizations() == {}
            assert (tracker.hyperparameters, tracker.tags, tracker.notes) == ({}, {}, "")
            assert (tracker.status, tracker.health.ok, tracker.metrics) == ("created", True, {})
            assert "disabled" in repr(tracker)
            assert pickle.loads(pickle.dumps(tracker)).get_metrics("m") == []
        tracker.finish()
        for other in (ExperimentTracker.resume("abcd"), ExperimentTracker.attach("nowhere")):
            other.log_metrics({"m": 1.0})
        assert not list(tmp_path.iterdir())
        assert set(threading.enumerate()) <= threads

    def test_neural_experiment_dir_attaches(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With NEURAL_EXPERIMENT_DIR set, the constructor adds to that experiment: its name, no tags of a rank."""
        owner = ExperimentTracker("owner", tmp_path, False)
        monkeypatch.setenv("NEURAL_EXPERIMENT_DIR", str(owner.experiment_dir))
        monkeypatch.setenv("RANK", "3")
        with ExperimentTracker("ignored", tmp_path / "nowhere", False) as other:
            other.log_metrics({"m": 3.0})
            assert other.experiment_id == owner.experiment_id
            assert other.experiment_name == "owner"
        assert owner.get_metrics("m") == [3.0]
        assert owner.tags == {}
        assert not (tmp_path / "nowhere").exists()
        assert any(path.name.startswith("r00003-") for path in (owner.experiment_dir / "metrics").iterdir())
        monkeypatch.setenv("NEURAL_EXPERIMENT_DIR", str(tmp_path / "gone"))
        with pytest.raises(ExperimentNotFoundError, match="gone"):
            ExperimentTracker("x", tmp_path)

    @pytest.mark.parametrize(
        ("settings", "tags"),
        [
            ({}, {}),
            ({"RANK": "2", "WORLD_SIZE": "4"}, {"rank": "2"}),
            ({"SLURM_PROCID": "5", "SLURM_JOB_ID": "99"}, {"rank": "5", "job": "99"}),
            ({"RANK": "0"}, {"rank": "0"}),
            ({"PBS_JOBID": "7.head"}, {"job": "7.head"}),
        ],
    )
    def test_rank_and_job_are_tags(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], tags: dict[str, str]
    ) -> None:
        """A constructor in a job of several processes records rank and job id as tags."""
        for name in ("RANK", "SLURM_PROCID", "SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "WORLD_SIZE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        assert ExperimentTracker("x", tmp_path, False, tags=["mine"]).tags == {"mine": "", **tags}

    def test_ranks_are_told_once_how_to_join(self, tmp_path: Path) -> None:
        """A rank above 0 that makes an experiment of its own is told once which line would join it; rank 0 is not."""
        script = (
            "import sys, neural.tracking as t\n"
            "for _ in range(3): t.ExperimentTracker('x', sys.argv[1], False).log_metrics({'m': 1})"
        )
        told = run(script, tmp_path, RANK="1", WORLD_SIZE="4")
        assert told.returncode == 0
        assert told.stderr.count("ExperimentTracker.attach") == 1
        assert "NEURAL_EXPERIMENT_DIR" in told.stderr
        assert run(script, tmp_path, RANK="0", WORLD_SIZE="4").stderr == ""
        assert run(script, tmp_path, RANK="1", WORLD_SIZE="1").stderr == ""

    @pytest.mark.parametrize("strict", [False, True])
    def test_a_refusing_disk(self, tmp_path: Path, strict: bool) -> None:
        """A disk that refuses is one warning and a count, and training goes on; with NEURAL_STRICT=1 it raises."""
        script = """
import resource, sys
from neural.tracking import ExperimentTracker
from neural_core.errors import StorageError
tracker = ExperimentTracker("x", sys.argv[1], False)
tracker.log_metrics({"m": -1})
resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
raised = 0
for step in range(300):
    try:
        tracker.log_metrics({"m": step}, step=step)
    except StorageError:
        raised += 1
full = tracker.health
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
try:
    tracker.flush()
    tracker.finish()
except StorageError:
    raised += 1000
print(raised > 0, full.ok, full.waiting > 0, tracker.health.ok, len(tracker.get_metrics("m")))
"""
        result = run(script, tmp_path, **({"NEURAL_STRICT": "1"} if strict else {}))
        assert result.stdout.split() == [str(strict), "False", "True", "True", "301"], result.stderr
        assert result.stderr.count("refuses") == 1
        assert result.stderr.count("nothing was lost") == 1
        assert issubclass(StorageError, OSError)

    def test_durability_is_a_choice_of_two(self, tmp_path: Path) -> None:
        """``durability`` is ``process`` or ``power``; another word raises before a folder is made."""
        words: tuple[Literal["process", "power"], ...] = ("process", "power")
        for durability in words:
            tracker = ExperimentTracker("x", tmp_path / "base", False, durability=durability)
            tracker.log_metrics({"m": 1.0})
            tracker.log_metrics({"m": 2.0, "n": None})
            assert tracker.get_metrics("m") == [1.0, 2.0]
        with pytest.raises(ConfigurationError, match="'process' or 'power'"):
            ExperimentTracker("x", tmp_path / "none", durability="paranoid")  # type: ignore[arg-type]
        assert not (tmp_path / "none").exists()

    @pytest.mark.parametrize(
        "options", [{"hyperparameters": 3}, {"tags": 3}, {"tags": {"a": 1}}, {"notes": 3}, {"backend": 3}], ids=str
    )
    def test_arguments_are_judged_before_a_folder_is_made(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """A constructor that raises leaves no experiment behind."""
        with pytest.raises(ArgumentTypeError):
            ExperimentTracker("x", tmp_path / "base", **options)
        assert not (tmp_path / "base").exists()


class TestPlugins:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("mlflow", ["MLflow not installed", 'pip install -e ".[mlflow]"', "pip install neural-mlflow"]),
            ("wandb", ["W&B not installed", "pip install neural-wandb"]),
            ("tensorboard", ["TensorBoard not installed", "pip install neural-tensorboard"]),
            ("nonsense", ["'nonsense' is not installed", "neural.backends", "neural-nonsense"]),
        ],
    )
    def test_a_missing_backend_says_what_to_install(
        self, tmp_path: Path, name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A backend that is not installed raises at construction with the guide's words and the line that helps."""
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])
        calls: list[Callable[[], object]] = [
            lambda: ExperimentTracker("x", tmp_path / "base", backend=name),
            lambda: ExperimentTracker("x", tmp_path / "base", backend=[name]),
            lambda: ExperimentTracker("x", tmp_path / "base", backend={name: {}}),
            lambda: ExperimentManager(tmp_path / "base").create_experiment("x", backend=name),
            lambda: create_integration(name, "x"),
        ]
        for call in calls:
            with pytest.raises(NotInstalledError) as raised:
                call()
            assert all(word in str(raised.value) for word in words), str(raised.value)
            assert isinstance(raised.value, ImportError)
        assert not (tmp_path / "base").exists()

    def test_a_missing_ui_says_what_to_install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the UI, both of the guide's ways to it say that Dash is not available, and what to install."""
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])
        for call in (
            lambda: ExperimentComparisonUI(manager=ExperimentManager(tmp_path), port=8052),
            lambda: launch_comparison_ui(base_dir=tmp_path, port=8052, debug=False),
        ):
            with pytest.raises(NotInstalledError, match=r"Dash not available.*pip install -e"):
                call()

    @pytest.mark.parametrize("arguments", [(3, "x"), ("mlflow", 3), (None, None)])
    def test_create_integration_wants_two_names(self, arguments: tuple[Any, Any]) -> None:
        """Anything but two texts is a TypeError."""
        with pytest.raises(ArgumentTypeError, match="text"):
            create_integration(*arguments)


class TestSurface:
    @pytest.mark.parametrize(
        ("verb", "ours"),
        [("log", "log_metrics"), ("add_scalar", "log_metric("), ("log_params", "log_hyperparameters"),
         ("end_run", "finish()"), ("close", "finish()"), ("log_image", "log_figure"), ("save", "log_artifact"),
         ("config", "log_hyperparameters")],
    )  # fmt: skip
    def test_verbs_of_other_trackers_are_explained(self, tmp_path: Path, verb: str, ours: str) -> None:
        """Who tries another tracker's verb is told the one of this."""
        tracker = ExperimentTracker("x", tmp_path, False)
        with pytest.raises(AttributeError, match="has no attribute") as raised:
            getattr(tracker, verb)
        assert ours in str(raised.value)
        assert not hasattr(tracker, "no_such_verb")

    def test_repr_tells_which_and_where(self, tmp_path: Path) -> None:
        """The repr holds name, id and folder; a name cannot forge a line of it."""
        tracker = ExperimentTracker("a\nb", tmp_path, False)
        assert all(part in repr(tracker) for part in (r"'a\nb'", tracker.experiment_id, str(tracker.experiment_dir)))
        assert "\n" not in repr(tracker)
        assert str(tmp_path) in repr(ExperimentManager(tmp_path))

    def test_holding_a_verb_holds_the_experiment(self, tmp_path: Path) -> None:
        """Who keeps only ``tracker.log_metrics``, as a callback, can go on logging with it."""
        log = ExperimentTracker("x", tmp_path, False).log_metrics
        gc.collect()
        log({"m": 1.0})
        log({"m": 2.0})
        (row,) = ExperimentManager(tmp_path).list_experiments()
        assert row["status"] == "running"
        del log
        gc.collect()
        (row,) = ExperimentManager(tmp_path).list_experiments()
        assert row["status"] == "interrupted"
        assert ExperimentManager(tmp_path).get_experiment(row["experiment_id"]).get_metrics("m") == [1.0, 2.0]

    def test_a_subclass_may_have_its_own_verbs(self, tmp_path: Path) -> None:
        """A subclass that overrides ``log_metrics`` is called, by ``log_metric`` and after a resume too."""

        class Halved(ExperimentTracker):
            def log_metrics(self, metrics: Any, step: Any = None) -> None:
                super().log_metrics({name: value / 2 for name, value in metrics.items()}, step)

        tracker = Halved("x", tmp_path, False)
        tracker.log_metrics({"m": 1.0})
        tracker.log_metric("m", 2.0, step=1)
        tracker.finish()
        again = Halved.resume(tracker.experiment_id, tmp_path)
        again.log_metrics({"m": 3.0})
        assert again.get_metrics("m") == [0.5, 1.0, 1.5]

    def test_a_copy_adds_to_the_same_experiment(self, tmp_path: Path) -> None:
        """Pickled or copied, an open tracker is one more writer of its experiment; the first stays its owner."""
        tracker = ExperimentTracker("x", tmp_path, False)
        tracker.log_metrics({"m": 0.0})
        for i, other in enumerate((pickle.loads(pickle.dumps(tracker)), copy.copy(tracker), copy.deepcopy(tracker)), 1):
            other.log_metrics({"m": float(i)})
            assert other.experiment_id == tracker.experiment_id
            other.finish()
        assert tracker.status == "running"
        assert tracker.get_metrics("m") == [0.0, 1.0, 2.0, 3.0]
        assert len(ExperimentManager(tmp_path).list_experiments()) == 1

    @pytest.mark.parametrize("how", ["finished", "loaded"])
    def test_a_copy_of_a_stored_experiment_writes_nothing(self, tmp_path: Path, how: str) -> None:
        """Pickling what has ended, or was loaded to be read, changes no byte of it."""
        tracker = ExperimentTracker("x", tmp_path, False)
        tracker.log_metrics({"m": 1.0})
        tracker.finish()
        given = ExperimentManager(tmp_path).get_experiment(tracker.experiment_id) if how == "loaded" else tracker
        before = stamps(tmp_path)
        other = pickle.loads(pickle.dumps(given))
        assert (other.get_metrics("m"), other.experiment_name) == ([1.0], "x")
        del other
        gc.collect()
        assert stamps(tmp_path) == before


class TestDebugLog:
    @pytest.fixture
    def logger(self) -> Iterator[logging.Logger]:
        """The logger of neural, as it was afterwards; trackers that other tests forgot have said their last."""
        gc.collect()
        logger = logging.getLogger("neural")
        level = logger.level
        yield logger
        logger.setLevel(level)

    def test_neural_leaves_logging_to_the_user(self, tmp_path: Path, logger: logging.Logger) -> None:
        """No handler is added and no level set, on our logger or the root; a sound run says nothing by itself."""
        script = """
import logging, sys
before = list(logging.root.handlers), logging.root.level
from neural.tracking import ExperimentTracker
with ExperimentTracker("x", sys.argv[1]) as tracker:
    tracker.log_metrics({"m": 1.0}, step=0)
names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in ("neural", "neural_core")]
found = [logging.getLogger(name) for name in names]
assert (list(logging.root.handlers), logging.root.level) == before
assert all(not one.handlers and one.level == logging.NOTSET and one.propagate for one in found), found
"""
        result = run(script, tmp_path)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")

    def test_every_operation_is_told_at_debug(
        self, tmp_path: Path, logger: logging.Logger, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The guide's debug mode: each call is one line with the experiment and what was logged."""
        caplog.set_level(logging.DEBUG, logger="neural")
        file = tmp_path / "model.pt"
        file.write_bytes(b"weights")
        with ExperimentTracker("debug me", tmp_path / "base", False) as tracker:
            for step in range(3):
                tracker.log_metrics({"loss": 0.5}, step=step)
            tracker.log_hyperparameters({"lr": 0.125})
            tracker.log_model(file, framework="pytorch")
            tracker.set_tags(["mine"])
        text = caplog.text
        assert all(f"step={step}" in text for step in range(3))
        words = (
            "loss",
            "0.5",
            "lr",
            "0.125",
            "model.pt",
            "mine",
            "experiment_started",
            "experiment_finished",
            "debug me",
        )
        assert [word for word in words if word not in text] == []
        assert all(tracker.experiment_id in record.getMessage() for record in caplog.records)

    @pytest.mark.fault("U20")
    def test_names_cannot_forge_lines(
        self, tmp_path: Path, logger: logging.Logger, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Newlines and escape sequences of names are shown as such."""
        caplog.set_level(logging.DEBUG, logger="neural")
        with ExperimentTracker("a\nERROR fake\x1b[2J", tmp_path, False) as tracker:
            tracker.log_metrics({"m\nERROR\x1b": 1.0})
            tracker.set_tags({"t\nERROR": "\x1b"})
        assert not any(set("\n\x1b") & set(record.getMessage()) for record in caplog.records)

    def test_debug_can_be_switched_on_later(
        self, tmp_path: Path, logger: logging.Logger, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Switched on in the middle of a run, the calls after the next tick are told."""
        tracker = ExperimentTracker("x", tmp_path, False)
        tracker.log_metrics({"m": 1.0}, step=1)
        tracker.log_metrics({"m": 1.0}, step=2)
        caplog.set_level(logging.DEBUG, logger="neural")
        ticked = threading.Event()
        for _ in range(2_400):  # two minutes
            tracker.log_metrics({"m": 1.0}, step=77)
            if "step=77" in caplog.text:
                ticked.set()
                break
            threading.Event().wait(0.05)
        assert ticked.is_set()
        assert "step=2" not in caplog.text
