"""Small pieces that every region of the page uses."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

__all__ = ["action", "dashed", "icon", "segments"]


def dashed(**attributes: Any) -> dict[str, Any]:
    """Give attributes whose names have dashes, as ``data-testid``, for the parts that take any of them."""
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def icon(name: str) -> html.Span:
    """Give a picture from the style sheet; it says nothing to a screen reader."""
    return html.Span(className=f"icon i-{name}", **dashed(aria_hidden="true"))


def action(name: str, label: str, *, key: str = "", children: Any = None, style: str = "", **more: Any) -> html.Button:
    """Give a button whose work is in the page's scripts.

    Args:
        name: of the action in `neural.actions`.
        label: what it does, for the tooltip and for screen readers.
        key: on the keyboard, shown in the tooltip.
        children: what is seen; nothing gives an icon of the action's name.
        style: more style classes.
        more: attributes of the element.
    """
    hint = f"{label} ({key})" if key else label
    named = {} if isinstance(children, str) else dashed(aria_label=label)
    return html.Button(
        icon(name) if children is None else children,
        type="button",
        className=f"btn-quiet {style}".strip(),
        title=hint,
        **dashed(data_action=name),
        **named,
        **more,
    )


def segments(control: str, label: str, choices: dict[str, str], *, testid: str, first: str) -> html.Div:
    """Give a row of choices of which one holds.

    Args:
        control: id of the component that holds the value.
        label: before the choices.
        choices: value by what is seen.
        testid: stable name for tests.
        first: value at the start.
    """
    radios = dbc.RadioItems(
        id=control,
        value=first,
        options=[{"label": seen, "value": value} for seen, value in choices.items()],
        className="segments",
        inputClassName="btn-check",
        labelClassName="segment",
        labelCheckedClassName="on",
    )
    title = html.Span(label, className="control-label", id=f"{control}-label")
    group = html.Div(radios, role="radiogroup", **dashed(aria_labelledby=f"{control}-label", data_testid=testid))
    return html.Div([title, group], className="control")
