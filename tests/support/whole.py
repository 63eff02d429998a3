"""Whether a store is whole: it holds events and all that follows from them, and nothing else.

What follows is asked of the oracle, which gets the events that are stored, in the order in which they are.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import apsw

from onefold.cli.call import Access
from onefold.model.reading import Touchpoint
from onefold.service import Reading
from onefold.service.evidence import evidence, refusals
from onefold.service.profiles import profiles
from onefold.settings import Settings
from onefold.wiring import build
from tests.oracle.evidence import Event, Evidence, Identifier, Pair
from tests.oracle.profiles import profiles as told_profiles
from tests.oracle.stitching import Stitched, stitch
from tests.support.crowd import Happening
from tests.support.neo4j_server import ask

Key = TypeVar("Key")
Value = TypeVar("Value")


def stored_ids(path: Path) -> list[str]:
    """The message ids of all touchpoints in a store, as a bare SQLite reads them."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        return [row[0] for row in connection.execute("SELECT message_id FROM touchpoints ORDER BY number")]


def stored_in_neo4j(url: str) -> list[str]:
    """The same of a store in Neo4j, as its driver reads them."""
    [[names]] = ask(url, "MATCH (t:Touchpoint) WITH t ORDER BY t.number RETURN collect(t.message_id)")
    return list(names)


def check_graph(url: str) -> None:
    """Nothing stands in the graph twice; what is counted is there; where two things say the same, they agree."""
    for keys in ("Identifier) WITH [n.namespace, n.value]", "Touchpoint) WITH [n.source, n.message_id]"):
        assert ask(url, f"MATCH (n:{keys} AS key, count(*) AS times WHERE times > 1 RETURN times") == []
    [[head]] = ask(url, "MATCH (m:Meta {name: 'head'}) RETURN [m.customers, m.touchpoints, m.decisions, m.links]")
    counted = [ask(url, f"MATCH (n:{label}) RETURN count(n)")[0][0] for label in ("Customer", "Touchpoint", "Decision")]
    assert head == [*counted, *ask(url, "MATCH ()-[l:LINKED]->() RETURN count(l)")[0]]
    assert ask(url, "MATCH (c:Customer)-[:HAS]->(i:Identifier) WHERE c.key <> i.customer RETURN i.number") == []
    assert (
        ask(url, "MATCH (i:Identifier) WHERE i.customer <> 0 AND count { ()-[:HAS]->(i) } <> 1 RETURN i.number") == []
    )
    assert ask(url, "MATCH (t:Touchpoint)-[:BY]->(i:Identifier) WHERE t.subject <> i.number RETURN t.number") == []
    assert ask(url, "MATCH (t:Touchpoint) WHERE count { (t)-[:BY]->() } <> 1 RETURN t.number") == []


def check_file(path: Path) -> None:
    """SQLite finds no fault with the file; nothing stands in it twice; what is counted is there."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:

        def ask(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(statement).fetchall()

        assert ask("PRAGMA integrity_check") == [("ok",)]
        for table, columns in (("identifiers", "namespace, value"), ("touchpoints", "source, message_id")):
            assert ask(f"SELECT {columns} FROM {table} GROUP BY {columns} HAVING count(*) > 1") == []
        [counted] = ask("SELECT customers, links, touchpoints, decisions FROM commits ORDER BY seq DESC LIMIT 1")
        tables = ("customers", "links", "touchpoints", "decisions")
        assert counted == tuple(ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables)


def check_store(path: Path, happenings: Mapping[str, Happening], source: str = "local") -> Stitched:
    """Fails unless the store in the file is exactly what its touchpoints lead to; -> the oracle's answer.

    Args:
        happenings: by message id, at least all that are stored.
        source: who is to have said all of it.
    """
    check_file(path)
    return _checked(f"sqlite:///{path}", happenings, source)


def check_neo4j(url: str, happenings: Mapping[str, Happening], source: str = "local") -> Stitched:
    """The same of a store in Neo4j."""
    check_graph(url)
    return _checked(url, happenings, source)


def _checked(url: str, happenings: Mapping[str, Happening], source: str) -> Stitched:
    with build(Settings(store=url), Access.READ) as onefold, onefold.read(hold=True) as reading:
        return _Check(reading, happenings, source).run()


class _Check:
    """One reading of the store beside the oracle's."""

    def __init__(self, reading: Reading, happenings: Mapping[str, Happening], source: str) -> None:
        self.reading, self.view = reading, reading.view
        head = self.view.head()
        self.identifiers = self.view.by_number(range(1, head.identifier + 1))
        self.customers = self.view.customers(list({row.customer for row in self.identifiers.values()}))
        found = self.view.touchpoints_by_number(range(1, head.seq + 1))
        self.touchpoints = [found[number] for number in sorted(found)]
        self.evidence = Evidence()
        for row in self.touchpoints:
            event = happenings[row.message_id].event(source)
            assert self.evidence.observe(event) == "accepted", row.message_id
            self.check_touchpoint(row, event)
        self.stitched = stitch(self.evidence)

    def run(self) -> Stitched:
        assert [line.seq for line in self.view.feed(0, 1_000_000)] == list(range(1, self.view.head().seq + 1))
        stitched = self.stitched
        same("customers", self.anchors(), stitched.customers)
        same("subjects", {row.message_id: self.name(row.subject) for row in self.touchpoints}, self.subjects())
        same("links", self.links(), {pair: sum(s.times for s in seen.values()) for pair, seen in self.told_links()})
        same("refusals", self.refusals(), stitched.refusals)
        assert {self.name(n) for n, row in self.identifiers.items() if row.generic} == stitched.generic[1]
        same("profiles", self.profiles(), self.told_profiles())
        self.check_search()
        return stitched

    def name(self, number: int) -> Identifier:
        return self.identifiers[number].key

    def check_touchpoint(self, row: Touchpoint, event: Event) -> None:
        """It is stored whole."""
        assert {self.name(number) for number in row.identifiers} == set(event.identifiers), row.message_id
        assert (row.source, row.at_ms) == (event.source, event.at_ms), row.message_id
        assert json.loads(row.body)["properties"]["seats"] == len(event.identifiers)

    def anchors(self) -> dict[Identifier, Identifier]:
        """Identifier -> the one that its customer is named by."""
        return {row.key: self.name(self.customers[row.customer].anchor) for row in self.identifiers.values()}

    def subjects(self) -> dict[str, Identifier]:
        return {message_id: subject for (_, message_id), subject in self.stitched.subjects.items()}

    def links(self) -> dict[Pair, int]:
        """How often each two were seen together."""
        return {
            pair(self.name(link.a), self.name(link.b)): sum(seen.count for seen in link.seen)
            for link in self.view.links_between(list(self.identifiers))
        }

    def told_links(self) -> Any:
        return self.evidence.links().items()

    def refusals(self) -> dict[Pair, str]:
        found = evidence(self.reading, self.view.links_between(list(self.identifiers)))
        return {
            pair(link.a.key, link.b.key): refusal.reason
            for link, refusal in zip(found, refusals(self.reading, found), strict=True)
            if refusal is not None
        }

    def profiles(self) -> dict[Identifier, dict[str, tuple[Any, ...]]]:
        keys = list(self.customers)
        return {
            self.name(self.customers[key].anchor): {
                trait: (row.claim.value, row.claim.identifier, row.claim.first_ms, row.claim.count)
                for trait, row in profile.items()
            }
            for key, profile in zip(keys, profiles(self.reading, keys), strict=True)
        }

    def told_profiles(self) -> dict[Identifier, dict[str, tuple[Any, ...]]]:
        return {
            anchor: {
                trait: (json.loads(claim.value), claim.identifier, claim.first_ms, claim.times)
                for trait, claim in profile.items()
            }
            for anchor, profile in told_profiles(self.evidence, self.stitched, {}).items()
        }

    def check_search(self) -> None:
        """Every tenth identifier is found by its value."""
        for number in range(1, len(self.identifiers) + 1, 10):
            hits = self.view.search(self.name(number)[1], 100)
            assert number in {hit.identifier for hit in hits if hit.kind == 0}, self.name(number)


def pair(one: Identifier, other: Identifier) -> Pair:
    return (one, other) if one < other else (other, one)


def same(what: str, found: Mapping[Key, Value], expected: Mapping[Key, Value]) -> None:
    """Both are equal; else the message shows only where they differ."""
    wrong = {
        key: (found.get(key), expected.get(key))
        for key in found.keys() | expected.keys()
        if found.get(key) != expected.get(key)
    }
    assert not wrong, f"{what}, found and expected: {dict(list(wrong.items())[:10])} and {max(len(wrong) - 10, 0)} more"
