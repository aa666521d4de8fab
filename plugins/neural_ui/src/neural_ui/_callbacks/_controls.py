"""The toolbar's controls reach the page's scripts through one callback in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import ClientsideFunction, Input, Output

from neural_ui._layout._toolbar import CONTROLS

if TYPE_CHECKING:
    from dash import Dash

__all__ = ["bind_controls"]


def bind_controls(app: Dash) -> None:
    """Hand every control's value to `neural.toolbar.changed`, in the order of CONTROLS; no request is made."""
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash types only a part of itself
        ClientsideFunction("neural", "controls"),
        Output("controls-seen", "data"),
        *(Input(control, "value") for control in CONTROLS),
        prevent_initial_call=True,
    )
