"""The gate in front of the page: whom it answers, and what every answer carries.

It wraps the whole application, Dash's own routes, files and errors included, so that nothing can be forgotten.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["LOOPBACK", "Gate", "Policy", "is_loopback", "security_headers"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOKEN_HEADER = "HTTP_X_NEURAL_TOKEN"
_COOKIE = "neural_access"
_log = logging.getLogger("neural")
_PLACES = ("/_dash-", "/_favicon", "/assets/", "/page/", "/api/", "/favicon.ico")
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_SENTENCES = {
    "400 Bad Request": "The request cannot be understood.",
    "401 Unauthorized": "Open the address with ?token= that the terminal shows.",
    "403 Forbidden": "This page answers only to itself, at its own address.",
    "404 Not Found": "There is nothing at this address.",
    "405 Method Not Allowed": "This method is not used here.",
    "415 Unsupported Media Type": "Send JSON.",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host names this machine to itself."""
    return host.strip("[]").lower() in LOOPBACK


def security_headers(script_hashes: Sequence[str]) -> list[tuple[str, str]]:
    """Give the headers of every answer; nothing is loaded from elsewhere and no inline script runs but Dash's own."""
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",  # Plotly and AG Grid set styles on elements
        "img-src": "'self' data: blob:",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return [
        ("Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in policy.items())),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]


@frozen
class Policy:
    """Whom the page answers.

    Attributes:
        hosts: names that a request may call us by, beside those of the loopback. The port is not compared: it is no
            secret, and a tunnel has another one.
        any_address: True when numeric addresses are ours as well: a rebound name is never one.
        token: what a change has to bring along; the page gets it in its document.
        access: what every visitor has to bring along; None on the loopback.
    """

    hosts: frozenset[str] = frozenset()
    any_address: bool = False
    token: str = field(factory=lambda: secrets.token_urlsafe(24))
    access: str | None = None


class Gate:
    """Refuses a request before any handler sees it, and adds headers to every answer."""

    def __init__(self, application: WSGIApplication, policy: Policy, script_hashes: Sequence[str]) -> None:
        self._application = application
        self._policy = policy
        self._headers = security_headers(script_hashes)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        start = self._with_headers(environ, self._noted(environ, start_response))
        refusal = self._refusal(environ)
        if refusal is None:
            return self._application(environ, start)
        body = (_SENTENCES[refusal] + "\n").encode()
        start(refusal, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]

    def _noted(self, environ: WSGIEnvironment, start_response: StartResponse) -> StartResponse:
        """Tell the log of each answer, in debug mode; names of strangers stand in it as `repr` writes them."""
        if not _log.isEnabledFor(logging.DEBUG):
            return start_response

        def start(status: str, headers: list[tuple[str, str]], *error: object) -> Callable[[bytes], object]:
            _log.debug("%s %r: %s", environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), status)
            return start_response(status, headers, *error)  # type: ignore[arg-type]

        return start

    def _with_headers(self, environ: WSGIEnvironment, start_response: StartResponse) -> StartResponse:
        cookie = self._cookie(environ)

        def start(status: str, headers: list[tuple[str, str]], *error: object) -> Callable[[bytes], object]:
            own = {name.lower() for name, _ in self._headers}
            kept = [(name, value) for name, value in headers if name.lower() not in own | {"server"}]
            if not any(name.lower() == "cache-control" for name, _ in kept):
                kept.append(("Cache-Control", "no-store"))
            return start_response(status, [*kept, *self._headers, *cookie], *error)  # type: ignore[arg-type]

        return start

    def _refusal(self, environ: WSGIEnvironment) -> str | None:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if not self._is_our_name(environ.get("HTTP_HOST", "")):
            return "403 Forbidden"
        if method not in _METHODS:
            return "405 Method Not Allowed"
        if _is_foreign(environ):
            return "403 Forbidden"
        if not self._has_access(environ):
            return "401 Unauthorized"
        if path != "/" and not path.startswith(_PLACES):
            return "404 Not Found"
        return self._refusal_of_change(environ) if method == "POST" else None

    def _refusal_of_change(self, environ: WSGIEnvironment) -> str | None:
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
            return "415 Unsupported Media Type"
        given = environ.get(TOKEN_HEADER, "")
        if environ.get("PATH_INFO", "").startswith("/api/") and not _same(given, self._policy.token):
            return "403 Forbidden"
        return None

    def _is_our_name(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name in self._policy.hosts or (self._policy.any_address and _is_address(name))

    def _has_access(self, environ: WSGIEnvironment) -> bool:
        wanted = self._policy.access
        return wanted is None or _same(_cookie_of(environ), wanted) or _same(_token_of(environ), wanted)

    def _cookie(self, environ: WSGIEnvironment) -> list[tuple[str, str]]:
        """Let a visitor who came with the token go on without it in the address."""
        wanted = self._policy.access
        if wanted is None or not _same(_token_of(environ), wanted):
            return []
        return [("Set-Cookie", f"{_COOKIE}={wanted}; Path=/; HttpOnly; SameSite=Strict")]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _is_foreign(environ: WSGIEnvironment) -> bool:
    """Tell whether another site's page sent the request; to follow a link to the page is no harm."""
    origin = environ.get("HTTP_ORIGIN")
    if environ["REQUEST_METHOD"] == "POST" and origin is not None:
        scheme, _, place = origin.partition("://")
        if scheme not in ("http", "https") or place != environ.get("HTTP_HOST"):
            return True
    arrives = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ.get("PATH_INFO") == "/"
    return environ.get("HTTP_SEC_FETCH_SITE") == "cross-site" and not (
        arrives and environ["REQUEST_METHOD"] in ("GET", "HEAD")
    )


def _token_of(environ: WSGIEnvironment) -> str:
    return str(parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0])


def _cookie_of(environ: WSGIEnvironment) -> str:
    try:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return ""
    return str(cookie[_COOKIE].value) if _COOKIE in cookie else ""
