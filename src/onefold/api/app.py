"""The application: every door over HTTP, on one service."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket

from onefold import __version__
from onefold.api.asking import Door, Entry, Gate, SocketDoor
from onefold.api.graphql.execution import Engine
from onefold.api.graphql.following import Memberships
from onefold.api.graphql.http import GraphQLDoor
from onefold.api.graphql.schema import executable
from onefold.api.graphql.sockets.answering import Answering
from onefold.api.graphql.sockets.door import Sockets, SocketsDoor
from onefold.api.graphql.subscription import Feeds
from onefold.api.guards import guards
from onefold.api.health import health_routes
from onefold.api.keyring import Keyring
from onefold.api.pixel import pixel_routes
from onefold.api.problems import on_failure, on_no_route, on_other_method
from onefold.api.tracking import tracking_routes
from onefold.service import Onefold

ALL_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""The GraphQL door itself says which of them it takes."""

WELCOME: Final = f"""onefold {__version__}: many identifiers, one customer.

POST /graphql    ask, judge, send events; the schema is in graph_schema/schema.graphql
WS   /graphql    follow who enters a segment and who leaves it (graphql-transport-ws)
POST /v1/batch   send events, as the SDKs of Segment do; one alone to /v1/track, /v1/identify, …
GET  /v1/pixel.gif   send an event by an image, from an e-mail or a page without scripts
GET  /healthz    whether it runs
GET  /readyz     whether it can be used
"""


def create_app(onefold: Onefold, sockets: Sockets | None = None, ring: Keyring | None = None) -> Starlette:
    """The application on an open service, which stays open as long as the application runs. `sockets`: where those are
    kept that are to be closed when it ends. `ring`: knows the keys; unless it is given, they are those of the settings.
    """
    settings = onefold.settings
    ring = ring or Keyring(settings)
    gate = Gate(ring)
    engine = Engine(onefold, executable())
    door = GraphQLDoor(engine, gate)
    answering = Answering(engine, Feeds(Memberships(onefold)))
    socket = SocketsDoor(sockets or Sockets(settings.max_sockets), gate, answering, settings.max_subscriptions)

    async def graphql(request: Request) -> Response:
        return await door(request)

    async def follow(websocket: WebSocket) -> None:
        await socket(websocket)

    async def welcome(request: Request) -> Response:
        return PlainTextResponse(WELCOME)

    return Starlette(
        routes=[
            Door("/", welcome, Entry.OPEN),
            Door("/graphql", graphql, Entry.ANY_KEY, ALL_METHODS),
            SocketDoor("/graphql", follow),
            *tracking_routes(onefold, gate),
            *pixel_routes(onefold, gate),
            *health_routes(onefold),
        ],
        middleware=guards(settings, ring),
        exception_handlers={404: on_no_route, 405: on_other_method, Exception: on_failure},
    )
