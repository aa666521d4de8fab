"""What the user chose: options, W&B's variables, W&B's settings file, a login."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from neural_wandb import WandbBackend, sdk
from neural_wandb.choices import Choices
from wandb_files import Written

from neural_core import ExperimentTracker
from neural_core.errors import ArgumentTypeError, ArgumentValueError
from neural_core.testing import deliver, following


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings file and the login of each test apart."""
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "config").mkdir()


def choose(**options: Any) -> Choices:
    """Give what these options come to."""
    names = ("mode", "project", "entity", "group", "job_type", "tags", "folder", "settings")
    return Choices.of(**dict.fromkeys(names) | options)


def test_offline_without_a_login() -> None:
    """Without a login runs are written offline, to the folder that the script is in."""
    chosen = choose()
    assert (chosen.mode, chosen.project, chosen.folder) == ("offline", "neural", Path.cwd())


def test_online_after_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment, in the settings, or where `wandb login` leaves it, means online."""
    for host in ("api.wandb.ai", "api.forge.coreweave.com"):
        (tmp_path / "netrc").write_text(f"machine {host}\n  login user\n  password {'0' * 40}\n")
        assert choose().mode == "online"
    assert choose(settings={"base_url": "http://localhost:1"}).mode == "offline"
    (tmp_path / "netrc").unlink()
    assert choose(settings={"api_key": "0" * 40}).mode == "online"
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert choose().mode == "online"
    assert choose(mode="offline").mode == "offline"


def test_variables_and_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options come before variables, and these before what `wandb offline` or `wandb init` wrote."""
    (tmp_path / "config" / "settings").write_text("[default]\nmode = disabled\nproject = kept\nentity = team\n")
    chosen = choose()
    assert (chosen.mode, chosen.project, chosen.entity) == ("disabled", "kept", "team")
    for name, value in {"MODE": "dryrun", "PROJECT": "said", "DIR": str(tmp_path / "place")}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    chosen = choose()
    assert (chosen.mode, chosen.project, chosen.folder) == ("offline", "said", tmp_path / "place")
    assert choose(project="own", folder=tmp_path).project == "own"


def test_settings_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `wandb init` and `wandb offline` wrote in the script's folder counts more than what is the user's."""
    (tmp_path / "config" / "settings").write_text("[default]\nmode = online\nproject = users\nentity = team\n")
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "wandb", "offline"]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    chosen = choose()
    assert (chosen.mode, chosen.project, chosen.entity) == ("offline", "users", "team")
    (tmp_path / "config" / "settings").write_text("no settings")
    assert choose().mode == "offline"


def test_the_destination_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The destination names server or folder, and project; never a key or a password."""
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "https://me:word@wandb.example")
    backend = WandbBackend(entity="team", project="p")
    assert backend.destination() == "wandb.example/team/p"


@pytest.mark.parametrize("options", [{"mode": "sometimes"}, {"tags": "a"}, {"settings": 3}])
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    """An option that cannot be is an error when the tracker is made."""
    with pytest.raises((ArgumentValueError, ArgumentTypeError), match=f"{next(iter(options))} of the backend wandb"):
        WandbBackend(**options)


def test_settings_reach_wandb(tmp_path: Path) -> None:
    """A setting of W&B's is W&B's; one that it does not know is an error of the delivery, which waits."""
    with ExperimentTracker("settings", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    good = WandbBackend(dir=tmp_path, settings={"host": "elsewhere"})
    assert deliver(tracker.experiment_dir, good).complete
    assert Written(tmp_path).run.host == "elsewhere"
    told = deliver(tracker.experiment_dir, WandbBackend(dir=tmp_path / "bad", settings={"no_such": 1}))
    assert not told.complete
    assert "no_such" in str(told.last_error)


def test_notes_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WANDB_NOTES are the notes of a run whose experiment has none."""
    monkeypatch.setenv("WANDB_NOTES", "from outside")
    for at, notes in enumerate(["", "own"]):
        with ExperimentTracker("notes", tmp_path / "experiments", auto_visualize=False) as tracker:
            tracker.set_notes(notes)
        told = deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path / str(at)))
        assert told.complete, told.last_error
        assert Written(tmp_path / str(at)).run.notes == (notes or "from outside")


def test_the_time_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a server may take to begin a run is 30 seconds, or what WANDB_INIT_TIMEOUT says."""
    for name, seconds in (("UNUSED", sdk.INIT_SECONDS), ("WANDB_INIT_TIMEOUT", 7.5)):
        monkeypatch.setenv(name, "7.5")
        run, _ = sdk.begin_run(choose(folder=tmp_path), name.lower(), "name")
        run.finish()
        assert run.settings.init_timeout == seconds


@pytest.mark.fault("P08")
def test_online_without_a_login_asks_nobody(tmp_path: Path) -> None:
    """Who wants online and has no login reads the guide's words, and what to do."""
    with ExperimentTracker("online", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    told = deliver(tracker.experiment_dir, WandbBackend(mode="online", dir=tmp_path))
    assert not told.complete
    assert "W&B authentication failed" in str(told.last_error)
    assert "wandb login" in str(told.last_error)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A folder that cannot be made is an error, and no matter to others; W&B would have written to a temporary one."""
    (tmp_path / "file").write_text("")
    with ExperimentTracker("place", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    other = ExperimentTracker("other", tmp_path / "experiments", auto_visualize=False)
    with following(other.experiment_dir, WandbBackend(mode="offline", dir=tmp_path)) as catch_up:
        other.log_metrics({"loss": 1.0}, step=0)
        assert catch_up().complete
        told = deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path / "file" / "below"))
        assert not told.complete
        assert "cannot write to" in str(told.last_error)
        other.finish()
        assert catch_up().complete
    assert len(Written(tmp_path).files) == 1


def test_wandb_is_imported_late() -> None:
    """To import the plugin and to make a backend imports no W&B."""
    code = "import sys, neural_wandb; neural_wandb.WandbBackend(); assert 'wandb' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_wandb() -> None:
    """Without W&B the error begins with the guide's words."""
    code = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "wandb" else real(name, *more)
from neural_core.errors import NotInstalledError
import neural_wandb
try:
    neural_wandb.WandbBackend()
except NotInstalledError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("W&B not installed")
    assert "pip install wandb" in done.stdout
