"""A store of plain dictionaries that answers stitching's needs: what the resolver's property tests run on.

It copies rows on the way in and out, as a database does, and counts what it loads.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from onefold.errors import Problem
from onefold.model.changes import ChangeSet, Decision, Placed, Retraction
from onefold.model.graph import Customer, Identifier, Judgement, Link, Observation, Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Source, Trust
from onefold.stitch import needs
from onefold.stitch.judging import judge, retract
from onefold.stitch.resolver import resolve
from onefold.stitch.rules import GENERIC, INSIDE, Rules


def copy_link(link: Link) -> Link:
    seen = [Seen(s.source, s.first_ms, s.last_ms, s.count) for s in link.seen]
    return Link(link.a, link.b, link.mark, link.rank, seen)


def copy_identifier(row: Identifier) -> Identifier:
    return msgspec.structs.replace(row, seen=None if row.seen is None else list(row.seen))


def copy_customer(row: Customer) -> Customer:
    return msgspec.structs.replace(row, counts=list(row.counts), whole=list(row.whole))


class MemoryStore:
    """The identity graph in dictionaries; touchpoints as (number, subject, at_ms, identifier numbers)."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.identifiers: dict[int, Identifier] = {}
        self.numbers: dict[IdentifierKey, int] = {}
        self.customers: dict[int, Customer] = {}
        self.members: dict[int, set[int]] = {}
        self.links: dict[int, Link] = {}
        self.near: dict[int, set[int]] = {}
        self.judgements: dict[int, Judgement] = {}
        self.sources: dict[Source, int] = {}
        self.touchpoints: list[tuple[int, int, int, list[int]]] = []
        self.decisions: list[Decision] = []
        self.last_customer = 0
        self.loaded = 0
        self.asked: dict[str, int] = {}

    # -- what is done with it

    def source(self, source: Source) -> int:
        return self.sources.setdefault(source, len(self.sources) + 1)

    def trusts(self) -> dict[int, Trust]:
        return {number: source.trust for source, number in self.sources.items()}

    def resolve(self, observations: Sequence[Observation]) -> list[Placed | None]:
        steps = resolve(
            self.rules,
            self.trusts(),
            observations,
            last_identifier=max(self.identifiers, default=0),
            last_customer=self.last_customer,
        )
        changes: ChangeSet = self._drive(steps)
        self.apply(changes)
        for placed, observation in zip(changes.placed, observations, strict=True):
            if placed is not None:
                number = len(self.touchpoints) + 1
                self.touchpoints.append((number, placed.subject, observation.at_ms, list(placed.identifiers)))
        return changes.placed

    def judge(self, same: bool, a: IdentifierKey, b: IdentifierKey) -> int | Problem:
        """The new judgement's number, or the problem."""
        number = len(self.judgements) + 1
        judgement = Judgement(number, same, 0, 0, "tester", "a test", 0)
        found = self._drive(judge(self.rules, self.trusts(), judgement, (a, b), last_customer=self.last_customer))
        if isinstance(found, Problem):
            return found
        self.apply(found)
        return number

    def retract(self, number: int) -> None:
        retraction = Retraction(number, "tester", "a test", 0)
        judgement = self.judgements[number]
        found = self._drive(retract(self.rules, self.trusts(), judgement, retraction, last_customer=self.last_customer))
        self.apply(found)

    def _drive(self, steps: Any) -> Any:
        try:
            need = next(steps)
            while True:
                need = steps.send(self.answer(need))
        except StopIteration as done:
            return done.value

    # -- applying

    def apply(self, changes: ChangeSet) -> None:
        for row in changes.new_identifiers:
            assert row.id not in self.identifiers
            assert row.key not in self.numbers
            self.identifiers[row.id], self.numbers[row.key] = copy_identifier(row), row.id
        for row in changes.changed_identifiers:
            kept = self.identifiers[row.id].customer
            self.identifiers[row.id] = msgspec.structs.replace(copy_identifier(row), customer=kept)
        for move in changes.moves:
            row = self.identifiers[move.identifier]
            assert move.was in {0, row.customer}
            self.members.get(row.customer, set()).discard(row.id)
            self.members.setdefault(move.customer, set()).add(row.id)
            row.customer = move.customer
        for customer in changes.new_customers:
            assert customer.key not in self.customers
            assert customer.key > self.last_customer
        for customer in [*changes.new_customers, *changes.changed_customers]:
            self.customers[customer.key] = copy_customer(customer)
        self.last_customer = max([self.last_customer, *(c.key for c in changes.new_customers)])
        for key in changes.dropped_customers:
            del self.customers[key]
            assert not self.members.pop(key)
        for link in [*changes.new_links, *changes.marked_links]:
            assert link.rank is not None
            self._put(link)
        for link in changes.seen_links:
            self.links[link.pair].seen = copy_link(link).seen
        self._apply_rest(changes)

    def _put(self, link: Link) -> None:
        self.links[link.pair] = copy_link(link)
        self.near.setdefault(link.a, set()).add(link.pair)
        self.near.setdefault(link.b, set()).add(link.pair)

    def _apply_rest(self, changes: ChangeSet) -> None:
        for number, subject in changes.subjects.items():
            _, _, at_ms, identifiers = self.touchpoints[number - 1]
            self.touchpoints[number - 1] = (number, subject, at_ms, identifiers)
        if changes.judged is not None:
            self.judgements[changes.judged.number] = changes.judged
        if changes.retracted is not None:
            number = changes.retracted.number
            self.judgements[number] = msgspec.structs.replace(self.judgements[number], retracted_ms=1)
        self.decisions.extend(changes.decisions)

    # -- answering

    def answer(self, need: needs.Need) -> Any:
        name = type(need).__name__
        self.asked[name] = self.asked.get(name, 0) + 1
        found = getattr(self, f"_{name.lower()}")(need)
        self.loaded += len(found)
        return found

    def _bykey(self, need: needs.ByKey) -> list[Identifier]:
        return self._rows(self.numbers[key] for key in need.keys if key in self.numbers)

    def _bynumber(self, need: needs.ByNumber) -> list[Identifier]:
        return self._rows(need.numbers)

    def _rows(self, numbers: Iterable[int]) -> list[Identifier]:
        return [copy_identifier(self.identifiers[number]) for number in numbers]

    def _customers(self, need: needs.Customers) -> list[Customer]:
        return [copy_customer(self.customers[key]) for key in need.keys]

    def _members(self, need: needs.Members) -> list[Identifier]:
        return self._rows(number for key in need.customers for number in self.members[key])

    def _links(self, need: needs.Links) -> list[Link]:
        return [copy_link(self.links[pair]) for pair in need.pairs if pair in self.links]

    def _at(self, numbers: Iterable[int]) -> list[Link]:
        pairs = {pair for number in numbers for pair in self.near.get(number, ())}
        return [self.links[pair] for pair in pairs]

    def _linksof(self, need: needs.LinksOf) -> list[Link]:
        return [copy_link(link) for link in self._at(need.identifiers)]

    def _insideof(self, need: needs.InsideOf) -> list[Link]:
        return [copy_link(link) for link in self._at(need.identifiers) if link.mark == INSIDE]

    def _refusedbelow(self, need: needs.RefusedBelow) -> list[Link]:
        weak = set(need.identifiers)
        return [copy_link(link) for link in self._at(weak) if link.a in weak and link.mark > GENERIC]

    def _holdrefused(self, need: needs.HoldRefused) -> list[tuple[int, int]]:
        strong, marks = set(need.identifiers), set(need.marks)
        return list({(link.b, link.mark) for link in self._at(strong) if link.b in strong and link.mark in marks})

    def _refusedabove(self, need: needs.RefusedAbove) -> list[Link]:
        found = [
            link
            for link in self._at([need.identifier])
            if link.b == need.identifier
            and link.mark == need.mark
            and (need.low, need.after) < (link.rank or 0, link.pair)
            and (link.rank or 0) <= need.high
        ]
        found.sort(key=lambda link: (link.rank or 0, link.pair))
        return [copy_link(link) for link in found[: need.limit]]

    def _ones(self, need: needs.Ones) -> list[Identifier]:
        return self._rows(row.id for row in self.identifiers.values() if row.one in need.roots)

    def _judgements(self, need: needs.Judgements) -> list[Judgement]:
        named = set(need.identifiers)
        return [j for j in self.judgements.values() if j.retracted_ms is None and named & {j.a, j.b}]

    def _touchpointsby(self, need: needs.TouchpointsBy) -> list[tuple[int, int, int, list[int]]]:
        subjects = set(need.subjects)
        return [row for row in self.touchpoints if row[1] in subjects]
