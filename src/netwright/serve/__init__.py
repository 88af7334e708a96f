"""A trained model behind a page: give it something in the browser, and see its answer."""

from netwright.serve.server import serve

__all__ = ["serve"]
