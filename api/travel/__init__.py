"""Travel over HTTP: times, routes, the nearest stations, and the areas reached."""

from api.travel.routes import router

__all__ = ["router"]
