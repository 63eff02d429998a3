"""Whether onefold runs (`/healthz`), and whether it can be used (`/readyz`)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onefold.api.asking import Door, Entry
from onefold.api.problems import problem_response
from onefold.errors import OnefoldError, Problem
from onefold.service import Onefold

_FRESH: Final = {"cache-control": "no-store"}
_NOT_WRITING: Final = Problem("ingest.stopping", "nothing is written any more", "Wait for it to be started again.")


async def healthz(request: Request) -> Response:
    """It runs."""
    return JSONResponse({"status": "ok"}, headers=_FRESH)


def health_routes(onefold: Onefold) -> list[Door]:
    """The routes for whoever watches over onefold."""

    def readyz(request: Request) -> Response:
        try:
            with onefold.read(wait=False):
                pass  # there is room for one more who reads
            onefold.check()
        except OnefoldError as error:
            return problem_response(error.problem)
        if not onefold.batcher.alive:
            return problem_response(_NOT_WRITING)
        return JSONResponse({"status": "ready"}, headers=_FRESH)

    return [Door("/healthz", healthz, Entry.OPEN), Door("/readyz", readyz, Entry.OPEN)]
