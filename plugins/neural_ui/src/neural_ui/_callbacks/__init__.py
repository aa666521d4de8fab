"""What the page asks of Dash, and the routes of its own files."""

from neural_ui._callbacks._register import register

__all__ = ["register"]
