"""The service: a FastAPI app over one store, and the gate before it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from api import health, intake, places, plans, problems, reference, travel
from api.probe import Probe
from api.roads import Roads
from api.security import Gate
from api.service import Service, Workers
from api.settings import Settings
from api.store import Store

JSON_BYTES: Final = 1 << 20
"""Largest body of a request that brings no file."""

ROUTERS: Final = (
    plans.router,
    places.router,
    travel.router,
    intake.router,
    health.router,
    reference.router,
)


class Gated(reference.Described):
    """An app behind the gate: the framework's own last resort included."""

    gate: Callable[[ASGIApp], ASGIApp]

    def build_middleware_stack(self) -> ASGIApp:
        """Return the framework's stack with the gate outermost."""
        return self.gate(super().build_middleware_stack())


def create_app(
    settings: Settings,
    store: Store,
    *,
    folder: Path | None = None,
    workers: Workers | None = None,
    needs_key: bool = True,
    hosts: tuple[str, ...] = (),
) -> Gated:
    """Return the service over a store.

    Parameters
    ----------
    settings : Settings
    store : Store
        Open; whoever opened it closes it.
    folder : Path, optional
        Of uploads on their way; the settings' own by default.
    workers : Workers, optional
        The process that runs jobs, for `/readyz`.
    needs_key : bool
        Whether `/v1` needs a key; False on loopback alone.
    hosts : tuple of str
        Names the service answers to, without port; every name when empty.
    """
    app = Gated(
        title="patrolgrid",
        version=reference.release(),
        description="Tonight's patrols and this month's inspections of a city's own grid.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        max_body_size=JSON_BYTES,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.gate = lambda inner: Gate(inner, store=store, needs_key=needs_key, hosts=hosts)
    app.state.language = settings.language
    kept_in = folder or settings.service_folder
    app.state.service = Service(
        store=store,
        folder=kept_in,
        language=settings.language,
        workers=workers,
        probe=Probe(store),
        roads=Roads(store, kept_in),
    )
    largest_file = settings.max_body_mb << 20
    for router in ROUTERS:
        most = largest_file if router is intake.router else None
        app.include_router(router, max_body_size=most)
    app.state.largest_file = largest_file
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    problems.install(app)
    return app
