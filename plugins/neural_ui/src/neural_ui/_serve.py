"""The server: a socket on the loopback, waitress, one line that says where it is, an end with Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import sys
import webbrowser
from typing import Any

from neural_core.errors import ConfigurationError

__all__ = ["listen", "serve"]

_NEXT_PORTS = 50
_THREADS = 8
_MOST_BYTES = 4 * 2**20
"""Of a body; the application refuses from a quarter of it on, with an answer of its own."""


def listen(host: str, port: int, *, exact: bool) -> socket.socket:
    """Open the socket.

    Args:
        host: a name or an address.
        port: 0 for any.
        exact: take no other port when this one is busy.

    Raises:
        ConfigurationError: the port is busy, or the host is none of this machine.
    """
    last = port if exact or port == 0 else min(port + _NEXT_PORTS, 65_535)
    for candidate in range(port, last + 1):
        try:
            return _bound(host, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigurationError(f"cannot serve on {host}:{candidate}: {error.strerror or error}") from error
    busy = f"port {port} is" if last == port else f"the ports {port} to {last} are"
    raise ConfigurationError(f"{busy} busy: give another one with --port, or 0 for any")


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


def serve(application: Any, place: socket.socket, address: str, *, open_browser: bool) -> None:
    """Answer requests until Ctrl-C.

    Args:
        application: WSGI.
        place: the listening socket; closed at the end.
        address: where a browser finds the page.
        open_browser: open it.
    """
    from waitress import create_server

    # That a page asks for more at once than there are threads is nothing that a user has to act on.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        application,
        sockets=[place],
        threads=_THREADS,
        ident="",
        max_request_body_size=_MOST_BYTES,
        clear_untrusted_proxy_headers=True,
    )
    print(f"neural: {address}  (Ctrl-C ends it)", flush=True)  # noqa: T201 - the user waits for the address
    if open_browser:
        webbrowser.open(address)
    try:
        server.run()  # returns on Ctrl-C
    finally:
        with contextlib.suppress(OSError):
            server.close()
