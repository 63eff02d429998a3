"""onefold on a new store, asked over HTTP as a client asks it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from starlette.testclient import TestClient

from onefold.api.app import create_app
from onefold.service import Onefold
from onefold.settings import Settings
from tests.contract.stores import NAMESPACES, TRAITS, Place

INGEST: Final = """mutation ($events: [EventInput!]!) { ingest(events: $events) {
    accepted duplicates rejected
    results { messageId status problem { code field } warnings { code } customer { id } }
} }"""
JUDGE: Final = """mutation ($verdict: Verdict!, $a: IdentifierInput!, $b: IdentifierInput!) {
    judge(verdict: $verdict, a: $a, b: $b, reason: "the clerk asked") {
        judgement { id verdict author reason at retractedAt a { value } b { value } }
        joined { id } split { id } problem { code field }
} }"""
RETRACT: Final = """mutation ($id: ID!) { retract(judgement: $id, reason: "a mistake") {
    judgement { id retractedAt } joined { id } split { id } problem { code } } }"""

Json = dict[str, Any]


def key(text: str) -> Json:
    """`email:ann@example.com` as an IdentifierInput."""
    namespace, _, value = text.partition(":")
    return {"namespace": namespace, "value": value}


def at(minute: int) -> str:
    """So many minutes after midnight of a day in 2026."""
    return f"2026-03-01T{minute // 60:02d}:{minute % 60:02d}:00.000Z"


def event(message: str, minute: int, *identifiers: str, **more: Any) -> Json:
    """A TRACK event, unless `more` says otherwise."""
    return {
        "type": "TRACK",
        "messageId": message,
        "timestamp": at(minute),
        "identifiers": [key(text) for text in identifiers],
        "event": "Visit",
        **more,
    }


class Shop:
    """A client of onefold."""

    def __init__(self, onefold: Onefold) -> None:
        self.onefold: Final = onefold
        self.http: Final = TestClient(create_app(onefold), base_url="http://127.0.0.1:8470")

    def post(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """The HTTP response."""
        return self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.post(query, variables).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def codes(self, query: str, **variables: Any) -> list[str]:
        """The codes of an answer's errors."""
        return [error["extensions"]["code"] for error in self.post(query, variables).json().get("errors", [])]

    def send(self, *events: Json) -> Json:
        """Send events in one batch."""
        report: Json = self.ask(INGEST, events=list(events))["ingest"]
        return report

    def judge(self, verdict: str, a: str, b: str) -> Json:
        result: Json = self.ask(JUDGE, verdict=verdict, a=key(a), b=key(b))["judge"]
        return result

    def retract(self, judgement: str) -> Json:
        result: Json = self.ask(RETRACT, id=judgement)["retract"]
        return result

    def customer(self, identifier: str, fields: str, **variables: Any) -> Any:
        """Fields of the customer with this identifier; variables are written `$name` and typed by `types`."""
        declared = "".join(f", ${name}: {TYPES[name]}" for name in variables)
        query = f"query ($of: IdentifierInput!{declared}) {{ customer(by: {{identifier: $of}}) {{ {fields} }} }}"
        return self.ask(query, of=key(identifier), **variables)["customer"]

    def customer_id(self, identifier: str) -> str:
        """The id of the customer with this identifier."""
        found: str = self.customer(identifier, "id")["id"]
        return found


TYPES: Final = {"after": "String", "before": "String", "filter": "TouchpointFilter"}


@contextmanager
def opened(place: Place, **settings: Any) -> Iterator[Shop]:
    """A shop whose store is at a place."""
    store = place.open()
    try:
        with Onefold(store, NAMESPACES, TRAITS, Settings(**settings)) as onefold:
            yield Shop(onefold)
    finally:
        store.close()
