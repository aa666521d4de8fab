"""The page as Dash components, and the document around it."""

from neural_ui._layout._index import index_string
from neural_ui._layout._page import make_layout

__all__ = ["index_string", "make_layout"]
