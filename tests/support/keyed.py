"""onefold with keys, and those who ask with them."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from onefold.keys import Key, KeyTrust, Scope, hash_of
from tests.api.graphql_shop import INGEST, Json, Shop, opened
from tests.contract.stores import Place


def secret_of(name: str) -> str:
    """The secret of the key of this name."""
    return f"the-secret-of-{name}-0123456789"


def key(name: str, *scopes: Scope, trust: KeyTrust = KeyTrust.SERVER, origins: Iterable[str] = ()) -> Key:
    """A key of this name."""
    return Key(name=name, hash=hash_of(secret_of(name)), trust=trust, scopes=scopes, origins=tuple(origins))


WEB: Final = key("web", Scope.TRACK, trust=KeyTrust.PUBLIC)
"""What sits in the shop's pages."""
SHOP: Final = key("shop", *Scope)
"""The company itself: it may do everything."""


def bearer(name: str) -> dict[str, str]:
    """The header of whoever has the key of this name."""
    return {"authorization": f"Bearer {secret_of(name)}"}


def basic(user: str, password: str = "") -> dict[str, str]:
    """The header as SDKs send it."""
    return {"authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


class Asking:
    """Whoever asks with the key of one name."""

    def __init__(self, shop: Shop, name: str) -> None:
        self.http: Final = shop.http
        self.headers: Final = bearer(name)

    def answer(self, query: str, variables: Mapping[str, Any] | None = None) -> Json:
        """The whole answer to an operation."""
        body = {"query": query, "variables": variables}
        found: Json = self.http.post("/graphql", json=body, headers=self.headers).json()
        return found

    def ask(self, query: str, **variables: Any) -> Json:
        """The data of an answer without errors."""
        answer = self.answer(query, variables)
        assert "errors" not in answer, answer["errors"]
        data: Json = answer["data"]
        return data

    def codes(self, query: str, **variables: Any) -> list[str]:
        """The codes of an answer's errors."""
        return [error["extensions"]["code"] for error in self.answer(query, variables).get("errors", [])]

    def send(self, *events: Json) -> Json:
        """Events by the mutation."""
        report: Json = self.ask(INGEST, events=list(events))["ingest"]
        return report

    def batch(self, *events: Json) -> list[Json]:
        """Events as SDKs send them; -> what became of each."""
        answer = self.http.post("/v1/batch", json={"batch": events}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        results: list[Json] = answer.json()["results"]
        return results


@contextmanager
def keyed(place: Place, keys: Sequence[Key] = (WEB, SHOP), **settings: Any) -> Iterator[Shop]:
    """A shop with keys. Who asks without any is turned away."""
    with opened(place, keys=tuple(keys), **settings) as shop:
        yield shop
