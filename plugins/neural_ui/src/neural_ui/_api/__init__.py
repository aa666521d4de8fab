"""The HTTP interface of the page: one module for each family of routes."""

from neural_ui._api._blueprint import make_blueprint
from neural_ui._api._run_list import RunList

__all__ = ["RunList", "make_blueprint"]
