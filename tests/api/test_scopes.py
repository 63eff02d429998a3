"""Every field, mutation and route says what it needs, and nobody gets past with less."""

import gzip
import json
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)

from onefold.api import pixel
from onefold.api.asking import Door, Entry, SocketDoor
from onefold.api.graphql.schema import executable
from onefold.api.graphql.scopes import declared
from onefold.keys import KeyTrust, Scope
from tests.api.graphql_shop import Shop
from tests.contract.stores import Place
from tests.support.keyed import Asking, bearer, key, keyed

SCHEMA: Final = executable()
PUBLIC: Final = "public"
"""The name of a key that tracks and sits in a page."""
KEYS: Final = [*(key(scope, scope) for scope in Scope), key(PUBLIC, Scope.TRACK, trust=KeyTrust.PUBLIC)]

SENT: Final = {"IngestReport", "IngestResult"}
NEEDED: Final[dict[str, Scope | None]] = {
    "Mutation.ingest": Scope.TRACK,
    "Mutation.recordConsent": Scope.TRACK,
    "ConsentResult.problem": Scope.TRACK,
    "Mutation.judge": Scope.STEWARD,
    "Mutation.retract": Scope.STEWARD,
    "Mutation.saveSegment": Scope.STEWARD,
    "Mutation.deleteSegment": Scope.STEWARD,
    "SegmentResult.segment": Scope.STEWARD,
    "SegmentResult.problem": Scope.STEWARD,
    "JudgementResult.judgement": Scope.STEWARD,
    "JudgementResult.problem": Scope.STEWARD,
    "Judgement.id": None,
    "Segment.id": None,
    "Problem.code": None,
    "Problem.message": None,
    "Problem.hint": None,
    "Problem.field": None,
    "Status.store": Scope.ADMIN,
    "IngestResult.customer": None,
}
"""What fields need that need anything else than what the tests expect of all: `read`."""


def needed(field: str) -> Scope | None:
    """What a field `Type.name` has to need. Whatever is new needs `read`, unless it stands above."""
    if field in NEEDED:
        return NEEDED[field]
    return Scope.TRACK if field.partition(".")[0] in SENT else Scope.READ


ROOTS: Final = {"Query": "query", "Mutation": "mutation", "Subscription": "subscription"}


class Path:
    """How a field is asked for: the fields that lead to it, and what they need together."""

    def __init__(self, before: "Path | None", kind: GraphQLNamedType, name: str, field: Any) -> None:
        self.name: Final = f"{kind.name}.{name}"
        self.before: Final = before
        self.kind: Final = kind
        self.field: Final = field
        self.written: Final = name + written_arguments(field)
        own = {needed(self.name)} - {None}
        self.scopes: Final[set[Any]] = own | (before.scopes if before else set())

    def query(self) -> str:
        """An operation that asks for it."""
        text, path = "", self
        if isinstance(get_named_type(self.field.type), GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            text = " { __typename }"
        while True:
            text = path.written + text
            if path.before is None:
                break
            above = get_named_type(path.before.field.type)
            text = f" {{ ... on {path.kind.name} {{ {text} }} }}" if above is not path.kind else f" {{ {text} }}"
            path = path.before
        return f"{ROOTS[path.kind.name]} {{ {text} }}"


def written_arguments(field: Any) -> str:
    required = {name: value for name, value in field.args.items() if is_required_argument(value)}
    return f"({', '.join(f'{name}: {any_value(value.type)}' for name, value in required.items())})" if required else ""


def any_value(kind: Any) -> str:
    """A value that the type takes."""
    if is_non_null_type(kind):
        return any_value(kind.of_type)
    if is_list_type(kind):
        return "[]"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        fields = list(kind.fields.items())
        taken = [item for item in fields if is_required_argument(item[1])] or fields[:1]
        return "{" + ", ".join(f"{name}: {any_value(value.type)}" for name, value in taken) + "}"
    return {"Int": "1", "Boolean": "true"}.get(kind.name, '"x"')


def paths() -> Iterator[Path]:
    """A shortest path to every field of the schema; of a union or interface to the fields of each type in it."""
    waiting: deque[tuple[Path | None, Any]] = deque((None, SCHEMA.type_map[name]) for name in ROOTS)
    seen: set[str] = set()
    while waiting:
        before, kind = waiting.popleft()
        if kind.name in seen:
            continue
        seen.add(kind.name)
        for name, field in getattr(kind, "fields", {}).items():
            path = Path(before, kind, name, field)
            yield path
            inside = get_named_type(field.type)
            waiting.append((path, inside))
            if isinstance(inside, GraphQLUnionType | GraphQLInterfaceType):
                waiting.extend((path, possible) for possible in SCHEMA.get_possible_types(inside))


PATHS: Final = list(paths())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with keyed(Place("sqlite", tmp_path_factory.mktemp("scopes")), KEYS) as shop:
        yield shop


def every_field() -> Iterator[str]:
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            yield from (f"{kind.name}.{name}" for name in kind.fields)


def test_the_walk_comes_to_every_field_there_is() -> None:
    assert sorted(path.name for path in PATHS) == sorted(every_field())
    assert set(NEEDED) <= {path.name for path in PATHS}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_field_says_what_it_needs_and_is_refused_to_whoever_has_not_all_of_it(shop: Shop, path: Path) -> None:
    assert declared(path.kind, path.field) is not None
    query = path.query()
    for name, scope in [*((scope.value, scope) for scope in Scope), (PUBLIC, Scope.TRACK)]:
        answer = Asking(shop, name).answer(query)
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        if path.scopes <= {scope}:
            assert not {code for code in codes if code.startswith("key.")}, (name, query, codes)
        else:
            assert (codes, answer.get("data")) == (["key.forbidden"], None), (name, query)
    nobody = shop.http.post("/graphql", json={"query": query})
    assert (nobody.status_code, nobody.json()["errors"][0]["extensions"]["code"]) == (401, "key.missing")


def test_what_is_null_without_read_needs_nothing_else_with_it() -> None:
    """What is asked for below such a field is not looked at."""
    below: deque[GraphQLNamedType] = deque([SCHEMA.type_map["Customer"]])
    seen: set[str] = set()
    while below:
        kind = below.popleft()
        if kind.name in seen:
            continue
        seen.add(kind.name)
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            below.extend(SCHEMA.get_possible_types(kind))
        for name, field in getattr(kind, "fields", {}).items():
            assert needed(f"{kind.name}.{name}") in {Scope.READ, None}, f"{kind.name}.{name}"
            below.append(get_named_type(field.type))


EVERYTHING: Final = "{ status { touchpoints store } namespaces { name } }"


@pytest.mark.parametrize(
    "query",
    [
        "query { ...A } fragment A on Query { ...B } fragment B on Query { status { seq } }",
        "query { ... { ... on Query { status { seq } } } }",
        "query ($no: Boolean! = false) { status @include(if: $no) { seq } }",
        "{ a: __typename b: status { c: seq } }",
        "query One { status { seq } } query Two { __typename }",
        'mutation { ingest(events: []) { accepted } retract(judgement: "jdg_0", reason: "x") { problem { code } } }',
    ],
)  # fmt: skip
def test_there_is_no_way_around(shop: Shop, query: str) -> None:
    body = {"query": query, "operationName": "One" if "One" in query else None}
    for name in ("track", PUBLIC, "admin"):
        said = shop.http.post("/graphql", json=body, headers=bearer(name)).json()
        assert [error["extensions"]["code"] for error in said["errors"]] == ["key.forbidden"], name


def test_an_operation_is_refused_for_itself_alone(shop: Shop) -> None:
    body = {"query": "query One { status { seq } } query Two { __typename }", "operationName": "Two"}
    assert shop.http.post("/graphql", json=body, headers=bearer("track")).json() == {"data": {"__typename": "Query"}}
    assert Asking(shop, "track").codes(EVERYTHING) == ["key.forbidden"]
    assert Asking(shop, "read").codes(EVERYTHING) == ["key.forbidden"]
    assert Asking(shop, "track").codes("{ status { nothing } }") == ["query.invalid"]


# -- routes

OPEN: Final = {"/", "/healthz", "/readyz"}
BODIES: Final = {"/graphql": b'{"query": "{ __typename }"}'}


def doors(shop: Shop) -> list[Door]:
    routes: Any = shop.http.app
    found = list(routes.routes)
    assert all(isinstance(route, Door | SocketDoor) for route in found), "every route is a Door"
    return [route for route in found if isinstance(route, Door)]


def statuses(shop: Shop, door: Door, headers: dict[str, str]) -> list[tuple[int, str | None]]:
    """Status and code of the answers to each method that the route takes, but for OPTIONS."""
    told = []
    for method in sorted((door.methods or set()) - {"OPTIONS"}):
        body = BODIES.get(door.path, b'{"batch": []}') if method == "POST" else None
        sent = headers | ({"content-type": "application/json"} if body else {})
        answer = shop.http.request(method, door.path, content=body, headers=sent)
        problem = answer.headers["content-type"] == "application/problem+json" and method != "HEAD"
        told.append((answer.status_code, answer.json()["code"] if problem else None))
    return told


def test_every_route_says_what_it_needs(shop: Shop) -> None:
    told = {door.path: door.needs for door in doors(shop)}
    assert {path for path, needs in told.items() if needs is Entry.OPEN} == OPEN
    assert {path for path, needs in told.items() if needs is Entry.ANY_KEY} == {"/graphql"}
    assert {needs for path, needs in told.items() if path.startswith("/v1/")} == {Scope.TRACK}


@pytest.mark.parametrize("name", [*Scope, PUBLIC, "nobody", "stranger"])
def test_a_route_lets_in_who_has_what_it_needs_and_nobody_else(shop: Shop, name: str) -> None:
    headers = {"nobody": {}}.get(name, bearer(name))
    has = {Scope.TRACK} if name == PUBLIC else {name}
    for door in doors(shop):
        for status, code in statuses(shop, door, headers):
            if door.needs is Entry.OPEN or (door.needs is Entry.ANY_KEY and name in [*Scope, PUBLIC]):
                assert status not in {401, 403}, door.path
            elif door.needs is Entry.ANY_KEY:
                assert status in {401, 405}, door.path
            elif door.needs in has or door.path == pixel.PATH:
                # Who sees the pixel sees an image; that a key is needed nevertheless, its own tests see.
                assert status == 200, door.path
            else:
                missing = {"nobody": (401, "key.missing"), "stranger": (401, "key.unknown")}
                assert (status, code) == missing.get(name, (403, "key.forbidden")), door.path


def test_a_packed_body_without_a_key_is_refused_like_any_other(shop: Shop) -> None:
    body = gzip.compress(json.dumps({"batch": []}).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = shop.http.post("/v1/batch", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "key.missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")
