"""W&B itself: runs, images, artifacts, and what to do when its service or its server do not answer."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from neural_core.errors import ConfigurationError, DeliveryError
from neural_wandb.choices import Choices
from neural_wandb.loading import load

__all__ = [
    "INTERRUPTED",
    "begin_run",
    "end_run",
    "image",
    "is_uploaded",
    "make_artifact",
    "mark_uploaded",
    "upload",
]

FLUSH_SECONDS = 0.02
INIT_SECONDS = 30.0
FINISH_SECONDS = 30.0
REACH_SECONDS = 10.0
INTERRUPTED = 255
"""W&B's own exit code for a KeyboardInterrupt."""
_CONNECTING = ("http_proxy", "https_proxy", "insecure_disable_ssl")
"""Settings that ``wandb sync``, a process of its own, needs as well."""
_lock = threading.Lock()
_services = 0


def begin_run(choices: Choices, run_id: str, name: str) -> tuple[Any, int]:
    """Begin a run, or go on with one, in a folder of its own in either case.

    Returns:
        A `wandb.Run`, and which of the services that this process has had writes it.

    Raises:
        ConfigurationError: a setting that this W&B does not know, or no login where one is needed.
        DeliveryError: W&B cannot begin now.
    """
    if choices.is_online and not choices.is_logged_in:
        raise ConfigurationError(
            f"W&B authentication failed: there is no API key for {choices.host}. "
            "Run `wandb login`, or set WANDB_API_KEY, or WANDB_MODE=offline"
        )
    if choices.is_online:
        _check_server(choices)
    _check_folder(choices.folder)
    with _lock:
        wandb, service = load(), _services
        _own_service()
        try:
            return wandb.init(
                id=run_id,
                name=name,
                project=choices.project,
                entity=choices.entity,
                group=choices.group or "",
                job_type=choices.job_type or "",
                dir=str(choices.folder),
                mode="online" if choices.is_online else "offline",
                resume="allow" if choices.is_online else None,
                reinit="create_new",
                settings=_settings(wandb, choices),
            ), service
        except ValueError as error:  # pydantic's, for a setting that is none
            raise ConfigurationError(f"W&B does not take these settings: {error}") from error
        except (wandb.Error, PermissionError, TimeoutError) as error:
            raise DeliveryError(f"W&B cannot begin the run: {error}") from error
        except _broken() as error:
            _end(service)
            raise DeliveryError(f"W&B's service has ended: {type(error).__name__} {error}") from error


def _check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written; W&B would take a temporary one, where nobody looks.

    Raises:
        DeliveryError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeliveryError(f"W&B cannot write to {folder}: {error}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise DeliveryError(f"W&B cannot write to {folder}: permission denied")


def _check_server(choices: Choices) -> None:
    """Refuse a server that cannot be reached; W&B would try for long, and hold up the end of this process as well.

    Raises:
        DeliveryError: nobody is there. What is behind a proxy is W&B's to find out.
    """
    server = urlsplit(_server(choices))
    host, own = server.hostname or "", f"{server.scheme}_proxy"
    if choices.settings.get(own) or os.environ.get(f"WANDB_{own.upper()}"):
        return
    if server.scheme in getproxies() and not proxy_bypass(host):
        return
    try:
        port = server.port or (443 if server.scheme == "https" else 80)
        socket.create_connection((host, port), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise DeliveryError(f"W&B's server {host} cannot be reached: {error}") from error


def _server(choices: Choices) -> str:
    return choices.server or str(load().Settings().base_url)


def upload(files: Sequence[Path], choices: Choices) -> None:
    """Upload the files of runs that were not uploaded to their end, with W&B's own ``wandb sync``.

    Raises:
        DeliveryError: the server cannot be reached, or does not take them.
    """
    _check_server(choices)
    command = [sys.executable, "-m", "wandb", "sync", "--include-online", "--include-synced", *map(str, files)]
    environment = {**os.environ, "WANDB_SILENT": "false", "WANDB_DIR": str(choices.folder)}
    environment["WANDB_BASE_URL"] = _server(choices)
    environment.pop("WANDB_SERVICE", None)
    if choices.key:
        environment["WANDB_API_KEY"] = str(choices.key)
    environment |= {f"WANDB_{key.upper()}": str(value) for key in _CONNECTING if (value := choices.settings.get(key))}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    missing = [file for file in files if not is_uploaded(file)]
    if done.returncode or missing:
        raise DeliveryError(f"`wandb sync` could not upload {files[0].parent}: {done.stderr.strip()[-400:]}")


def is_uploaded(file: Path) -> bool:
    """Tell whether W&B, or `mark_uploaded`, noted that all of a file is on the server."""
    return file.with_suffix(".wandb.synced").exists()


def mark_uploaded(file: Path) -> None:
    """Note it as W&B does, so that ``wandb sync`` does not upload it again."""
    file.with_suffix(".wandb.synced").touch()


def end_run(run: Any, service: int, exit_code: int) -> None:
    """End a run, which can be tried once: W&B says nothing of what did not arrive when it is asked again.

    Raises:
        TimeoutError: the server has not got everything; the file has.
        DeliveryError: the service does not answer any more; it makes place for a new one.
    """
    try:
        run.finish(exit_code=exit_code)
    except TimeoutError:
        raise
    except (*_broken(), load().Error) as error:
        with _lock:
            _end(service)
        raise DeliveryError(f"W&B's service has ended: {type(error).__name__} {error}") from error


def _end(service: int) -> None:
    """End a service that is broken, once for all who were served by it."""
    global _services
    if service == _services:
        _services += 1
        with contextlib.suppress(*_broken(), AssertionError, SystemExit):  # AssertionError: another ended it
            load().teardown()


def _broken() -> tuple[type[BaseException], ...]:
    """Give what a call raises when nobody is at the other end."""
    mailbox = load("wandb.sdk.mailbox")
    return OSError, mailbox.HandleAbandonedError, mailbox.MailboxClosedError


def _own_service() -> None:
    """Forget a service that the training process started: it ends with it. This process starts one of its own."""
    inherited = os.environ.get("WANDB_SERVICE", "").split("-")
    if len(inherited) > 1 and inherited[1] != str(os.getpid()):
        del os.environ["WANDB_SERVICE"]


def _settings(wandb: Any, choices: Choices) -> Any:
    """Give W&B's settings: what it would collect of this process is not the training's, so it collects nothing."""
    ours = {
        "console": "off",
        "disable_code": True,
        "disable_git": True,
        "disable_job_creation": True,
        "finish_timeout": FINISH_SECONDS if choices.is_online else 0.0,
        "finish_timeout_raises": True,
        "init_timeout": float(os.environ.get("WANDB_INIT_TIMEOUT") or INIT_SECONDS),
        "label_disable": True,
        "run_tags": (),
        "sagemaker_disable": True,
        "save_code": False,
        "silent": True,
        "stop_fn": _stop,
        "x_disable_machine_info": True,
        "x_disable_meta": True,
        "x_disable_stats": True,
        "x_save_requirements": False,
        "x_server_side_derived_summary": True,  # the summary is written for each delivery, not for each row
        "x_transaction_log_flush_interval": FLUSH_SECONDS,
    }
    if choices.is_online:
        ours |= {"base_url": _server(choices), **({"api_key": choices.key} if choices.key else {})}
    known = {key: value for key, value in ours.items() if key in wandb.Settings.model_fields}
    return wandb.Settings(**{**known, **choices.settings})


def _stop() -> None:
    """A stop that was asked for on W&B's page does not end the training, which W&B here knows nothing of."""


def image(path: str, caption: str) -> Any:
    """Make an image of W&B's from a file; None when it is none that W&B can read."""
    try:
        return load().Image(path, caption=caption)
    except (OSError, SyntaxError, ValueError):  # Pillow raises each of them for what it cannot read
        return None


def make_artifact(name: str, kind: str, metadata: dict[str, Any]) -> Any:
    """Make an artifact of W&B's, empty."""
    return load().Artifact(name, kind, metadata=metadata)
