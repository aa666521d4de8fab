"""The HTTP interface of the page: one module for each family of routes."""

from neural_ui._api._blueprint import make_blueprint

__all__ = ["make_blueprint"]
