"""Is the process there, and can it do its work: asked by whatever watches over it."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api import problems
from api.declared import answers
from api.language import language_of
from api.request import StrictRoute
from api.schemas import Health, Readiness
from api.service import service_of
from geo.errors import StoreUnavailable

router = APIRouter(route_class=StrictRoute, tags=["health"])


@router.get("/healthz", responses=answers(Health))
def healthz() -> Response:
    """Tell that the process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", responses=answers(Readiness, 503))
def readyz(request: Request) -> Response:
    """Tell whether the store takes writes and is of this release, and whether jobs are run."""
    service = service_of(request)
    checks = service.probe.look()
    checks["jobs"] = service.workers is None or service.workers.is_alive
    if all(checks.values()):
        return JSONResponse({"status": "ok", "checks": checks})
    error = StoreUnavailable(store="", reason="")
    return problems.answer_to(error, language_of(request), members={"checks": checks})
