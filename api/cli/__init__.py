"""The `patrolgrid` command: thin over `routing.pipeline`, `api.products` and `api.store`."""

from api.cli.command import app

__all__ = ["app"]
