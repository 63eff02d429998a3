"""What a client may ask for, and how it has to ask over HTTP."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from onefold.api.asking import EVERYBODY
from onefold.api.graphql import execution
from onefold.api.graphql.execution import Engine, Request
from onefold.api.graphql.schema import executable
from onefold.service import reading
from tests.api.graphql_shop import Shop, event, key, opened
from tests.contract.stores import Place

ANN = 'customer(by: {identifier: {namespace: "user_id", value: "ann"}})'
NEWER = "application/graphql-response+json"
SOON_S = 5.0
"""Far above what any of these takes, far below what it would take if it were not stopped."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(Place("sqlite", tmp_path_factory.mktemp("limits"))) as shop:
        shop.send(event("m1", 1, "user_id:ann", "email:ann@example.com"))
        yield shop


def refused_soon(shop: Shop, query: str, **variables: Any) -> str:
    """The code of the one error that an operation is refused with, before it takes any time."""
    started = time.monotonic()
    answer = shop.post(query, variables).json()
    assert time.monotonic() - started < SOON_S
    assert "data" not in answer
    return str(answer["errors"][0]["extensions"]["code"])


# -- limits


def nested(levels: int) -> str:
    """A query whose selection sets nest so many levels deep below its root."""
    inner = "id"
    for _ in range((levels - 1) // 4):
        inner = f"journey(first: 1) {{ edges {{ node {{ customer {{ {inner} }} }} }} }}"
    return f"{{ {ANN} {{ {inner} }} }}"


def test_a_query_may_nest_as_deep_as_the_limit_and_no_deeper(shop: Shop) -> None:
    assert shop.ask(nested(9))["customer"]
    assert refused_soon(shop, nested(13)) == "query.too_deep"


def test_depth_counts_through_fragments(shop: Shop) -> None:
    hidden = f"""{{ {ANN} {{ ...A }} }}
        fragment A on Customer {{ journey {{ edges {{ node {{ customer {{ ...B }} }} }} }} }}
        fragment B on Customer {{ journey {{ edges {{ node {{ customer {{ ...C }} }} }} }} }}
        fragment C on Customer {{ journey {{ edges {{ node {{ customer {{ id }} }} }} }} }}"""
    assert refused_soon(shop, hidden) == "query.too_deep"


@pytest.mark.parametrize("bombs", [31, 300])
def test_aliases_are_counted(shop: Shop, bombs: int) -> None:
    query = "{" + " ".join(f"a{n}: status {{ seq }}" for n in range(bombs)) + "}"
    assert refused_soon(shop, query) == "query.too_complex"


def test_aliases_are_counted_wherever_a_fragment_is_spread(shop: Shop) -> None:
    spreads = " ".join("...A" for _ in range(8))
    query = f"{{ status {{ {spreads} }} }} fragment A on Status {{ a: seq b: seq c: seq d: seq }}"
    assert refused_soon(shop, query) == "query.too_complex"


def test_fields_that_are_repeated_count_as_aliases_do(shop: Shop) -> None:
    assert refused_soon(shop, "{ status {" + "seq " * 400 + "} }") == "query.too_complex"


def test_a_chain_of_fragments_is_refused_soon(shop: Shop) -> None:
    chain = "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(90))
    assert refused_soon(shop, f"{{ ...F0 }}{chain} fragment F90 on Query {{ status {{ seq }} }}") in {
        "query.too_complex",
        "query.too_deep",
    }


def test_fragments_that_double_at_each_step_are_refused_soon(shop: Shop) -> None:
    doubling = "".join(f" fragment F{n} on Status {{ a{n}: seq ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    query = f"{{ status {{ ...F0 }} }}{doubling} fragment F40 on Status {{ last: seq }}"
    assert refused_soon(shop, query) == "query.too_complex"


def test_fragments_that_spread_themselves_are_refused(shop: Shop) -> None:
    query = "{ ...A } fragment A on Query { ...B status { seq } } fragment B on Query { ...A }"
    assert refused_soon(shop, query) == "query.invalid"


def test_many_fragments_are_refused_soon(shop: Shop) -> None:
    many = "".join(f" fragment F{n} on Query {{ status {{ seq }} }}" for n in range(150))
    spreads = " ".join(f"...F{n}" for n in range(150))
    assert refused_soon(shop, f"{{ {spreads} }}{many}") == "query.too_complex"


def test_inline_fragments_do_not_hide_how_deep_a_query_nests(shop: Shop) -> None:
    query = "{" + "... {" * 150 + "status { seq }" + "}" * 150 + "}"
    assert refused_soon(shop, query) == "query.too_deep"


@pytest.mark.parametrize(
    "query",
    [
        "{ resolve(identifiers: [" + '{namespace: "user_id", value: "ann"} ' * 300 + "]) { generic } }",
        "{ status { seq } }" + "\n# a comment" * 300,
        '{ search(text: "' + "x" * 200_000 + '") { edges { cursor } } }',
    ],
    ids=["tokens", "comments", "one long token"],
)
def test_a_document_that_is_too_long_is_refused_soon(shop: Shop, query: str) -> None:
    assert refused_soon(shop, query) == "query.too_complex"


@pytest.mark.parametrize(
    "query",
    ["{" + "status {" * 240 + "seq" + "}" * 240 + "}", "{ node(id: " + "[" * 480 + "]" * 480 + ") { id } }"],
    ids=["selections", "values"],
)
def test_a_document_that_nests_deeper_than_can_be_read_is_refused_as_too_deep(shop: Shop, query: str) -> None:
    assert refused_soon(shop, query) == "query.too_deep"


def test_directives_are_counted(shop: Shop) -> None:
    query = "{ status { " + " ".join(f"... @include(if: true) {{ a{n}: seq }}" for n in range(25)) + " } }"
    assert shop.post(query).json()["data"]
    many = "{ status { seq " + "@include(if: true) " * 60 + "} }"
    assert refused_soon(shop, many) == "query.too_complex"


def test_the_fields_at_the_root_are_counted(shop: Shop) -> None:
    query = (
        "mutation {"
        + " ".join(
            f'r{n}: retract(judgement: "jdg_0000000000000", reason: "") {{ joined {{ id }} }}' for n in range(31)
        )
        + "}"
    )
    assert refused_soon(shop, query) == "query.too_complex"


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("{ decisions(first: 501) { edges { cursor } } }", "cursor"),
        ("query ($keys: [IdentifierInput!]!) { resolve(identifiers: $keys) { generic } }", "another query"),
        ('{ identityGraph(around: {id: "x"}, maxNodes: 501) { truncated } }', "truncated"),
    ],
)
def test_whoever_asks_for_too_much_is_told_how_to_get_the_rest(shop: Shop, query: str, hint: str) -> None:
    keys = [key("user_id:ann")] * 1_001
    (error,) = shop.post(query, {"keys": keys}).json()["errors"]
    assert error["extensions"]["code"] == "query.page_too_large"
    assert hint in error["extensions"]["hint"]
    assert ("cursor" in error["extensions"]["hint"]) is (hint == "cursor")


@pytest.mark.parametrize("argument", ["first", "last"])
def test_a_page_has_at_most_500(shop: Shop, argument: str) -> None:
    query = f"query ($size: Int) {{ {ANN} {{ journey({argument}: $size) {{ edges {{ cursor }} }} }} }}"
    assert shop.ask(query, size=500)["customer"]
    assert refused_soon(shop, query, size=501) == "query.page_too_large"
    assert refused_soon(shop, query.replace("$size: Int", "$size: Int = 501")) == "query.page_too_large"
    literal = f"{{ {ANN} {{ journey({argument}: 2147483647) {{ edges {{ cursor }} }} }} }}"
    assert refused_soon(shop, literal) == "query.page_too_large"
    assert refused_soon(shop, literal.replace("2147483647", "9" * 5_000)) == "query.page_too_large"


def test_pages_within_pages_multiply(shop: Shop) -> None:
    links = "links(first: 500) { edges { node { a { value } b { value } count } } }"
    query = f"""query ($first: Int! = 10) {{ {ANN} {{ identifiers(first: $first) {{ edges {{ node {{
        customer {{ identifiers(first: 100) {{ edges {{ node {{ {links} }} }} }} }} }} }} }} }} }}"""
    assert shop.ask(query)["customer"]
    assert refused_soon(shop, query, first=100) == "query.too_complex"
    assert refused_soon(shop, query.replace("$first: Int! = 10", "$first: Int! = 100")) == "query.too_complex"
    assert refused_soon(shop, query.replace("first: 100", "first: 500")) == "query.too_complex"


def test_a_cost_that_hangs_on_variables_is_measured_each_time(shop: Shop) -> None:
    query = """query ($identifiers: [IdentifierInput!]!) { resolve(identifiers: $identifiers) { customer {
        journey(first: 500) { edges { node { subject { links(first: 20) { edges { cursor } } } } } } } } }"""
    asked = [key("user_id:ann")]
    assert shop.ask(query, identifiers=asked)["resolve"]
    assert refused_soon(shop, query, identifiers=asked * 1_000) == "query.too_complex"
    assert shop.ask(query, identifiers=asked)["resolve"]


def test_introspection_is_allowed_but_bounded(shop: Shop) -> None:
    schema = shop.ask(get_introspection_query(input_value_deprecation=True, descriptions=True))["__schema"]
    assert {"name": "Touchpoint"}.items() <= next(t for t in schema["types"] if t["name"] == "Touchpoint").items()
    bomb = "name"
    for _ in range(5):
        bomb = f"fields {{ type {{ {bomb} }} }}"
    assert refused_soon(shop, f"{{ __schema {{ types {{ {bomb} }} }} }}") in {"query.invalid", "query.too_complex"}


def test_an_answer_that_grows_too_large_is_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    query = f"{{ {ANN} {{ identifiers {{ edges {{ node {{ links {{ edges {{ cursor }} }} }} }} }} }} }}"
    monkeypatch.setattr(reading, "MOST_ROWS", 5)  # a customer, two identifiers, one link of each
    assert shop.ask(query)["customer"]
    monkeypatch.setattr(reading, "MOST_ROWS", 4)
    assert shop.codes(query) == ["query.too_complex"]


def test_errors_tell_no_secrets(shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the password is tiger")

    monkeypatch.setattr(type(shop.onefold), "status", broken)
    answer = shop.post("{ status { seq } }").json()
    (error,) = answer["errors"]
    assert (error["extensions"], error["path"]) == ({"code": "internal"}, ["status"])
    assert "tiger" not in str(answer)
    assert "tiger" in caplog.text


def test_what_is_wrong_with_a_query_is_said_with_its_place(shop: Shop) -> None:
    (error,) = shop.post("{ status { sequence } }").json()["errors"]
    assert error["extensions"] == {"code": "query.invalid"}
    assert error["locations"] == [{"line": 1, "column": 12}]
    assert "'sequence'" in error["message"]
    (syntax,) = shop.post("{ status {").json()["errors"]
    assert syntax["extensions"]["code"] == "query.invalid"


# -- over HTTP


def test_a_query_is_sent_as_json(shop: Shop) -> None:
    body = b'{"query": "{ status { seq } }"}'
    for content_type in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        answer = shop.http.post("/graphql", content=body, headers={"content-type": content_type})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json; charset=utf-8")
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/graphql",
        "",
    ):
        answer = shop.http.post("/graphql", content=body, headers={"content-type": content_type})
        assert answer.status_code == 415
        assert answer.json()["errors"][0]["extensions"]["code"] == "body.unsupported_media_type"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_than_post_are_refused(shop: Shop, method: str) -> None:
    answer = shop.http.request(method, "/graphql?query={status{seq}}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body.invalid_json"),
        (b"{", "body.invalid_json"),
        (b'{"query": "{ status { seq } }", "variables": {"x": NaN}}', "body.invalid_json"),
        (b'{"query": "\\ud800"}', "body.invalid_json"),
        (b"\xff", "body.invalid_json"),
        (b"[" * 200_000, "body.too_deep"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "body.too_deep"),
        (b'{"query": "{ status { seq } }", "depth limit exceeded": }', "body.invalid_json"),
        (b"[]", "query.invalid"),
        (b'[{"query": "{ status { seq } }"}]', "query.invalid"),
        (b"null", "query.invalid"),
        (b"{}", "query.invalid"),
        (b'{"query": 7}', "query.invalid"),
        (b'{"query": null}', "query.invalid"),
        (b'{"query": "{ status { seq } }", "variables": []}', "query.invalid"),
        (b'{"query": "{ status { seq } }", "operationName": 7}', "query.invalid"),
        (b'{"query": "{ status { seq } }", "extensions": 7}', "query.invalid"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", NEWER])
def test_a_body_that_is_no_request_is_a_bad_request(shop: Shop, body: bytes, code: str, accept: str) -> None:
    headers = {"content-type": "application/json", "accept": accept}
    answer = shop.http.post("/graphql", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ nothing }", None),
        ("{", None),
        ("", None),
        ('query ($n: Int!) { search(text: "x", first: $n) { edges { cursor } } }', {}),
        ('query ($n: Int!) { search(text: "x", first: $n) { edges { cursor } } }', {"n": "many"}),
        ("query A { status { seq } } query B { status { seq } }", None),
        ("subscription { status { seq } }", None),
        ("fragment A on Query { status { seq } }", None),
        (nested(21), None),
    ],
)
def test_a_request_that_is_not_run_tells_so_by_its_status_where_clients_know_that(
    shop: Shop, query: str, variables: Any
) -> None:
    older = shop.post(query, variables, accept="application/json")
    newer = shop.post(query, variables, accept=NEWER)
    assert (older.status_code, newer.status_code) == (200, 400)
    assert older.json() == newer.json()
    assert "data" not in newer.json()
    assert newer.json()["errors"][0]["extensions"]["code"].startswith("query.")


def test_what_was_run_answers_200_with_its_errors(shop: Shop) -> None:
    query = '{ status { version } customer(by: {id: "cus_00000000000000000000000000"}) { id } }'
    for accept in ("application/json", NEWER):
        answer = shop.post(query, accept=accept)
        assert answer.status_code == 200
        assert answer.json()["data"]["customer"] is None
        assert answer.json()["data"]["status"]["version"]
        assert answer.json()["errors"][0]["path"] == ["customer"]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (NEWER, NEWER),
        (f"{NEWER}, application/json;q=0.9", NEWER),
        (f"{NEWER};q=0.5, application/json", "application/json"),
        (f"text/html, {NEWER};q=0.8, */*;q=0.1", NEWER),
        (f"{NEWER}; charset=utf-8, application/json; charset=utf-8", NEWER),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
    ],
)
def test_the_answer_is_of_a_type_the_client_takes(shop: Shop, accept: str, answered: str | None) -> None:
    answer = shop.post("{ status { seq } }", accept=accept)
    if answered is None:
        assert answer.status_code == 406
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"{answered}; charset=utf-8")


def test_numbers_of_any_size_are_taken_from_a_query(shop: Shop) -> None:
    query = """mutation { ingest(events: [{type: TRACK, messageId: "big", timestamp: "2026-03-01T00:02:00Z",
        userId: "ann", properties: {count: 123456789012345678901234567890}}]) { accepted rejected } }"""
    assert shop.ask(query)["ingest"] == {"accepted": 1, "rejected": 0}


def test_an_event_that_nests_very_deep_sinks_no_other(shop: Shop) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    report = shop.send(event("deep", 1, "user_id:ann", properties=deep), event("flat", 1, "user_id:ann"))
    assert [result["problem"] and result["problem"]["code"] for result in report["results"]] == ["event.invalid", None]
    query = "mutation ($events: [EventInput!]!) { ingest(events: $events) { accepted } }"
    body = json.dumps({"query": query, "variables": {"events": [event("m", 1, "user_id:ann", properties="DEEP")]}})
    for levels in (1_010, 100_000):
        deeper = body.replace('"DEEP"', '{"a":' * levels + "1" + "}" * levels)
        answer = shop.http.post("/graphql", content=deeper, headers={"content-type": "application/json"})
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["body.too_deep"]


def test_one_of_several_operations_is_chosen_by_its_name(shop: Shop) -> None:
    body = {"query": "query A { status { seq } } query B { namespaces { name } }", "operationName": "B"}
    assert list(shop.http.post("/graphql", json=body).json()["data"]) == ["namespaces"]
    (error,) = shop.http.post("/graphql", json=body | {"operationName": "C"}).json()["errors"]
    assert error["extensions"]["field"] == "operationName"


def test_a_document_is_parsed_once_however_often_it_is_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    query = 'query Once($first: Int!) { search(text: "ann", first: $first) { edges { cursor } } }'
    parsed = []

    def counted(*given: Any, **more: Any) -> Any:
        parsed.append(given)
        return parse(*given, **more)

    monkeypatch.setattr(execution, "parse", counted)
    for first in (1, 2, 3):
        shop.ask(query, first=first)
    assert len(parsed) == 1


def test_only_so_many_documents_are_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "MOST_DOCUMENTS", 3)
    engine = Engine(shop.onefold, executable())
    requests = [Request(f"query Q{n} {{ status {{ seq }} }}") for n in range(5)]
    for request in requests:
        engine.plan(request, EVERYBODY)
    assert [engine.known(request) for request in requests] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [("types", "track"), ("names", "Visit"), ("channels", "web"), ("campaigns", "spring"),
     ("properties", {"property": "a", "is": 1})],
)  # fmt: skip
def test_a_filter_has_at_most_100_of_each(shop: Shop, name: str, value: Any) -> None:
    query = f"query ($filter: TouchpointFilter) {{ {ANN} {{ journey(filter: $filter) {{ edges {{ cursor }} }} }} }}"
    assert shop.ask(query, filter={name: [value] * 100})["customer"]
    assert shop.codes(query, filter={name: [value] * 101}) == ["query.too_complex"]
    assert shop.codes(query, filter={name: [value] * 40_000}) == ["query.too_complex"]


def test_whoever_comes_without_knowing_is_told_where_to_look(shop: Shop) -> None:
    answer = shop.http.get("/")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "POST /graphql" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allowed"),
    [
        ("GET", "/nothing", 404, "request.not_found", None),
        ("POST", "/v1/other", 404, "request.not_found", None),
        ("GET", "/v1/batch", 405, "request.method_not_allowed", "POST"),
        ("POST", "/healthz", 405, "request.method_not_allowed", "GET, HEAD"),
        ("DELETE", "/", 405, "request.method_not_allowed", "GET, HEAD"),
    ],
)
def test_what_no_route_takes_is_a_problem_with_a_code(
    shop: Shop, method: str, path: str, status: int, code: str, allowed: str | None
) -> None:
    answer = shop.http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)
    assert path in answer.json()["message"]
    assert answer.headers.get("allow") == allowed


def test_the_guards_stand_before_the_door(shop: Shop) -> None:
    assert shop.post("{ status { seq } }", origin="https://evil.example").status_code == 403
    assert shop.post("{ status { seq } }", host="evil.example").status_code == 403
    large = {"query": "{ status { seq } }", "variables": {"x": "x" * 4_000_000}}
    assert shop.http.post("/graphql", json=large).status_code == 413


def test_what_the_store_meets_in_the_middle_of_a_query_has_its_name(tmp_path: Path) -> None:
    with opened(Place("sqlite", tmp_path)) as shop:
        shop.send(*(event(f"m{n}", n, "user_id:ann", properties={"text": "x" * 500}) for n in range(900)))
    file = tmp_path / "store.db"
    pages = file.read_bytes()
    file.write_bytes(pages[: len(pages) // 2] + b"\xff" * (len(pages) - len(pages) // 2))
    with opened(Place("sqlite", tmp_path)) as shop:
        query = f"{{ namespaces {{ name }} {ANN} {{ id journey {{ edges {{ node {{ id properties }} }} }} }} }}"
        answer = shop.post(query).json()
        assert answer["data"]["namespaces"]
        assert answer["data"]["customer"] is None
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["store.unavailable"]
