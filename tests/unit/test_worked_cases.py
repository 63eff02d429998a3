"""The worked cases: small stories with their ends, one readable file each, in any order of arrival and any batches."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from onefold.model.graph import Identifier, Observation
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces_file import load
from onefold.model.sources import Source, Trust
from onefold.schema_files import schema_file
from onefold.stitch.rules import Rules
from tests.support.memory import MemoryStore
from tests.support.refusals import refusals

CASES = sorted((Path(__file__).parents[1] / "golden" / "stitching").glob("*.yaml"))
RULES = Rules(load(schema_file("namespaces.yaml")))
SPECIAL = {"at", "trust"}


def key_of(text: str) -> IdentifierKey:
    namespace, _, value = text.partition(":")
    return IdentifierKey(namespace, value)


def text_of(identifier: Identifier) -> str:
    return f"{identifier.key.namespace}:{identifier.key.value}"


def observation(store: MemoryStore, step: dict[str, Any]) -> Observation:
    keys = [IdentifierKey(name, value) for name, value in step.items() if name not in SPECIAL]
    keys.sort(key=lambda key: (RULES.priority[key.namespace], key))
    trust = Trust[step.get("trust", "server").upper()]
    source = store.source(Source(trust.name, trust))
    return Observation(tuple(keys), step["at"] * 1000, step["at"] * 1000, source)


def tell(store: MemoryStore, step: dict[str, Any]) -> None:
    """Say a judgement, or take one back."""
    if "retract" in step:
        store.retract(step["retract"])
        return
    ((verdict, ends),) = step.items()
    assert isinstance(store.judge(verdict == "same", *map(key_of, ends)), int)


def play(case: dict[str, Any], order: str, size: int) -> MemoryStore:
    store = MemoryStore(RULES)
    events = [step for step in case["steps"] if "at" in step]
    events = events[::-1] if order == "backwards" else events
    for start in range(0, len(events), size):
        store.resolve([observation(store, step) for step in events[start : start + size]])
    for step in case["steps"]:
        if "at" not in step:
            tell(store, step)
    return store


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(request.param.read_text())
    return found


@pytest.mark.parametrize("order", ["as told", "backwards"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_worked_case_ends_as_told(case: dict[str, Any], order: str, size: int) -> None:
    store = play(case, order, size)
    found = {frozenset(text_of(store.identifiers[n]) for n in members) for members in store.members.values()}
    assert found - {frozenset()} == set(map(frozenset, case["customers"]))
    assert {text_of(i) for i in store.identifiers.values() if i.generic <= Trust.PUBLIC} == set(case.get("generic", ()))
    expected = {frozenset(pair.split()): reason for pair, reason in case.get("refused", {}).items()}
    assert {frozenset(map(text_of, pair)): reason for pair, reason in refusals(store)} == expected
    subjects = {at_ms // 1000: text_of(store.identifiers[subject]) for _, subject, at_ms, _ in store.touchpoints}
    assert subjects == case["subjects"]


def test_the_decision_names_the_event_that_did_it() -> None:
    case = yaml.safe_load((CASES[0].parent / "anonymous-then-known.yaml").read_text())
    for size in (1, 100):
        (decision,) = play(case, "as told", size).decisions
        assert (decision.kind, decision.reason) == ("joined", "link:server")
        assert decision.causes == ((0,) if size == 1 else (3,))


def test_judged_apart_and_taken_back_gives_the_ids_from_before() -> None:
    case = yaml.safe_load((CASES[0].parent / "judged-different.yaml").read_text())
    before = play({**case, "steps": case["steps"][:2]}, "as told", 1)
    store = play(case, "as told", 1)
    assert len(set(anchors(store).values())) == 2
    store.retract(1)
    assert anchors(store) == anchors(before)


def anchors(store: MemoryStore) -> dict[str, str]:
    """identifier -> the identifier that its customer's id is made of"""
    return {
        text_of(i): text_of(store.identifiers[store.customers[i.customer].anchor]) for i in store.identifiers.values()
    }
