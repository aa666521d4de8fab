"""`ExperimentComparisonUI`: the page over one manager's experiments, made when it is run."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
from typing import TYPE_CHECKING, Any

from neural_core.errors import ConfigurationError
from neural_core.reading import ExperimentStore
from neural_ui._ahead import begin_ahead
from neural_ui._security import Policy, is_loopback
from neural_ui._serve import listen, serve

if TYPE_CHECKING:
    from dash import Dash

    from neural_ui._api import RunList

__all__ = ["ExperimentComparisonUI"]

DEFAULT_PORT = 8052
_log = logging.getLogger("neural")
_EVERY = ("0.0.0.0", "::", "")


class ExperimentComparisonUI:
    """The web page that compares experiments.

    Attributes:
        store: what it shows.
        port: to serve on; 0 for any.
    """

    def __init__(self, manager: Any, port: int = DEFAULT_PORT) -> None:
        """Prepare the page; nothing is read or opened yet.

        Args:
            manager: an `ExperimentManager`.
            port: to serve on; when the default one is busy, the next free one is taken.

        Raises:
            ConfigurationError: the port is none.
        """
        if not isinstance(port, int) or not 0 <= port <= 65_535:
            raise ConfigurationError(f"port {port!r} is no number from 0 to 65535")
        self.store = ExperimentStore(manager.base_dir)
        self.port = port

    def make_app(self, policy: Policy | None = None) -> Dash:
        """Make the Dash application; `app.server` serves under any WSGI server."""
        return self._made(policy or Policy())[0]

    def _made(self, policy: Policy) -> tuple[Dash, RunList]:
        from neural_ui._api import RunList  # Flask and Dash are loaded when the page is wanted
        from neural_ui._app import make_app

        every = RunList(self.store)
        return make_app(self.store, every, policy), every

    def run(
        self,
        debug: bool = False,
        host: str = "127.0.0.1",
        allow_remote: bool = False,
        *,
        open_browser: bool = False,
        exact_port: bool | None = None,
    ) -> None:
        """Serve the page until Ctrl-C.

        Args:
            debug: tell of every request in the terminal; never a console in the browser.
            host: to bind to; another one than the loopback only with `allow_remote`.
            allow_remote: let other machines in. They need the token that is printed with the address.
            open_browser: open the page.
            exact_port: never take another port; None for all but the default one.

        Raises:
            ConfigurationError: the port is busy, or `host` reaches further than was allowed.
        """
        local = is_loopback(host)
        if not local and not allow_remote:
            raise ConfigurationError(
                f"host {host!r} lets other machines in: pass allow_remote=True (--allow-remote) if that is meant"
            )
        if debug and not local:
            raise ConfigurationError("debug=True is for the loopback only: leave out debug or host")
        if debug:
            _log.setLevel(logging.DEBUG)
            logging.basicConfig(format="%(message)s")  # unless the script has said where its log goes
        exact = self.port != DEFAULT_PORT if exact_port is None else exact_port
        # Ctrl-C is an end at any moment, also between two lines of the start.
        with contextlib.suppress(KeyboardInterrupt), listen(host, self.port, exact=exact) as place:
            access = None if local else secrets.token_urlsafe(24)
            policy = Policy(_names(host), any_address=host in _EVERY, access=access)
            app, every = self._made(policy)
            if not local:
                _log.warning("%s lets in every machine that reaches this one and knows the token", host)
            begin_ahead(self.store, every)
            serve(app.server, place, _address(host, place, policy), open_browser=open_browser)


def _names(host: str) -> frozenset[str]:
    own = {host.strip("[]").lower()}
    if host in _EVERY:
        own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return frozenset(own)


def _address(host: str, place: socket.socket, policy: Policy) -> str:
    shown = socket.gethostname() if host in _EVERY else host.strip("[]")
    shown = f"[{shown}]" if ":" in shown else shown
    query = f"/?token={policy.access}" if policy.access else ""
    return f"http://{shown}:{place.getsockname()[1]}{query}"
