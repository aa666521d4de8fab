"""What the user chose: options, then W&B's variables, then W&B's settings files, then what suits most."""

from __future__ import annotations

import configparser
import contextlib
import netrc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from neural_core.errors import ArgumentTypeError, ArgumentValueError
from neural_wandb.names import TAG_LENGTH

__all__ = ["Choices"]

PROJECT = "neural"
_PUBLIC = ("api.wandb.ai", "api.forge.coreweave.com")
"""Names of W&B's public server; a login under one is a login under the other."""
_MODES = {"online": "online", "run": "online", "offline": "offline", "dryrun": "offline", "disabled": "disabled"}
_SETTINGS_SECTION = "default"


@frozen
class Choices:
    """Where and how runs are written.

    Attributes:
        mode: ``online``, ``offline`` or ``disabled``.
        is_logged_in: whether there are credentials; nobody is asked for any.
        folder: where W&B makes its folder ``wandb``, absolute.
        project: of the runs; `entity`, `group`, `job_type` are W&B's own choice when None.
        server: URL of the server; None for W&B's public one.
        key: for the server, where it was given here; None for one that `wandb login` keeps.
        tags: of every run; `notes` of one whose experiment has none.
        settings: further settings of W&B.
    """

    mode: str
    is_logged_in: bool
    folder: Path
    project: str
    entity: str | None
    group: str | None
    job_type: str | None
    server: str | None
    key: str | None = field(repr=False)
    tags: tuple[str, ...]
    notes: str
    settings: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        *,
        mode: str | None,
        project: str | None,
        entity: str | None,
        group: str | None,
        job_type: str | None,
        tags: Sequence[str] | None,
        folder: str | os.PathLike[str] | None,
        settings: Mapping[str, Any] | None,
    ) -> Choices:
        """Read options and environment; W&B is not imported, and nothing is asked over a network.

        W&B itself reads the environment once in a process. A companion serves trackers that were made under several.

        Raises:
            ArgumentTypeError: `settings` is no mapping, or `tags` no sequence of texts.
            ArgumentValueError: `mode` is none of W&B's.
        """
        given = _mapping(settings)
        file = _settings_files()

        def choose(option: Any, key: str, variable: str) -> Any:
            return option or given.get(key) or os.environ.get(variable) or file.get(key)

        server = choose(None, "base_url", "WANDB_BASE_URL")
        key = choose(None, "api_key", "WANDB_API_KEY")
        is_logged_in = bool(key or os.environ.get("WANDB_IDENTITY_TOKEN_FILE")) or _in_netrc(server)
        others = choose(None, "run_tags", "WANDB_TAGS") or ()
        place = folder or given.get("root_dir") or os.environ.get("WANDB_DIR") or Path.cwd()
        return cls(
            mode=_mode(choose(mode, "mode", "WANDB_MODE"), is_logged_in),
            is_logged_in=is_logged_in,
            folder=Path(place).expanduser().absolute(),
            project=str(choose(project, "project", "WANDB_PROJECT") or PROJECT),
            entity=choose(entity, "entity", "WANDB_ENTITY"),
            group=choose(group, "run_group", "WANDB_RUN_GROUP"),
            job_type=choose(job_type, "run_job_type", "WANDB_JOB_TYPE"),
            server=server,
            key=key,
            tags=(*_texts(others.split(",") if isinstance(others, str) else others), *_texts(tags)),
            notes=str(choose(None, "run_notes", "WANDB_NOTES") or ""),
            settings={key: value for key, value in given.items() if key not in ("mode", "project", "entity")},
        )

    @property
    def is_online(self) -> bool:
        """Tell whether runs are uploaded while they are written."""
        return self.mode == "online"

    def destination(self) -> str:
        """Say where runs go to, without secrets."""
        path = "/".join(part for part in (self.entity, self.project) if part)
        return f"{self.host}/{path}" if self.is_online else f"{self.mode} in {self.folder}, {path}"

    @property
    def host(self) -> str:
        """Name the server, without a password that may stand in its URL."""
        return _PUBLIC[0] if self.server is None else urlsplit(self.server).netloc.rpartition("@")[2]


def _mode(chosen: Any, is_logged_in: bool) -> str:
    if chosen is None:
        return "online" if is_logged_in else "offline"
    if chosen not in _MODES:
        raise ArgumentValueError(f"the mode of the backend wandb is online, offline or disabled, not {chosen!r:.50}")
    return _MODES[chosen]


def _mapping(settings: Any) -> dict[str, Any]:
    if settings is not None and not isinstance(settings, Mapping):
        raise ArgumentTypeError(
            f"settings of the backend wandb are a mapping of names and values, not {settings!r:.50}"
        )
    return {str(key): value for key, value in (settings or {}).items()}


def _texts(tags: Any) -> tuple[str, ...]:
    if tags is None:
        return ()
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        raise ArgumentTypeError(f"tags of the backend wandb are a list of texts, not {tags!r:.50}")
    return tuple(str(tag)[:TAG_LENGTH] for tag in tags if tag)


def _settings_files() -> dict[str, str]:
    """Read what `wandb init`, `wandb offline` and others keep: for the user, and over that for the script's folder."""
    of_user = Path(os.environ.get("WANDB_CONFIG_DIR") or Path("~", ".config", "wandb")).expanduser()
    here = Path(".wandb" if Path(".wandb").exists() else "wandb")
    parser = configparser.ConfigParser(interpolation=None)
    for folder in (of_user, here):
        with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):
            parser.read(folder / "settings", encoding="utf-8")
    return dict(parser[_SETTINGS_SECTION]) if parser.has_section(_SETTINGS_SECTION) else {}


def _in_netrc(server: str | None) -> bool:
    """Look where ``wandb login`` leaves its key."""
    chosen = os.environ.get("NETRC")
    places = [Path(chosen)] if chosen else [Path("~", ".netrc"), Path("~", "_netrc")]
    host = urlsplit(server).netloc if server else _PUBLIC[0]
    for place in places:
        with contextlib.suppress(OSError, RuntimeError, netrc.NetrcParseError):
            known = netrc.netrc(place.expanduser())
            entries = [known.authenticators(name) for name in (_PUBLIC if host in _PUBLIC else (host,))]
            return any(entry is not None and entry[2] for entry in entries)
    return False
