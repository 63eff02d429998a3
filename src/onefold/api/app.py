"""The application: every door over HTTP, on one service."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onefold.api.graphql.http import GraphQLDoor
from onefold.api.graphql.schema import executable
from onefold.api.guards import guards
from onefold.api.health import health_routes
from onefold.api.problems import on_failure
from onefold.api.tracking import tracking_routes
from onefold.service import Onefold


def create_app(onefold: Onefold) -> Starlette:
    """The application on an open service, which stays open as long as the application runs."""
    door = GraphQLDoor(onefold, executable())

    async def graphql(request: Request) -> Response:
        return await door(request)

    return Starlette(
        routes=[
            Route("/graphql", graphql, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
            *tracking_routes(onefold),
            *health_routes(onefold),
        ],
        middleware=guards(onefold.settings),
        exception_handlers={Exception: on_failure},
    )
