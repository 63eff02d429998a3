"""The rows that one piece of stitching has in hand: what it loaded, what it made, what it changed.

An identity map: a row is loaded once, and from then on the one in hand is right, whatever the store still says.
Answers of the store show it as it was when the transaction began; `settle_*` methods bring both together.
"""

from collections.abc import Generator, Iterable
from typing import Any

import msgspec

from onefold.model.changes import Decision, Move
from onefold.model.graph import Customer, Identifier, Judgement, Link
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust
from onefold.stitch.needs import ByNumber, Customers, Judgements, Links, Members, Need, Ones
from onefold.stitch.ranks import ALWAYS, NEVER
from onefold.stitch.rules import FIRST_RULE, NO_TRUST, Rules

Asking = Generator[Need, Any, Any]


class Group(msgspec.Struct, gc=False):
    """A customer in hand.

    Attributes:
        row: as it is now. was: anchor it had when it was loaded, None if it is new.
        members: its identifiers, once all of them are in hand; None before.
        came: identifiers that came to it in this transaction.
        born: first position in the batch of an observation that made it or one that came to it, -1 if the store held
            one of them, or people are told of it.
    """

    row: Customer
    was: int | None
    members: dict[int, Identifier] | None
    came: list[Identifier]
    born: int


class Work:
    """Rows in hand, and what has changed among them.

    Attributes:
        rules, trusts: what stitching goes by. next_identifier, next_customer: numbers not yet given out.
        by_key, identifiers: by key and number. customers: by key. links: by pair.
        owner: number of an identifier -> key of its customer when the transaction began, 0 if it is new; of those only
            that are new or have moved.
        causes: pair -> position of the observation that made the link or moved it in rank.
        apart, same: judged pairs in hand, each way round. classes: root -> numbers judged one.
        withdrawn: number of the judgement that is being taken back, which the store still holds to be standing.
        flipped: identifiers whose `generic` changed -> what it was.
    """

    def __init__(self, rules: Rules, trusts: dict[int, Trust], next_identifier: int, next_customer: int) -> None:
        """Nothing is in hand yet."""
        self.rules, self.trusts = rules, trusts
        self.next_identifier, self.next_customer = next_identifier, next_customer
        self.by_key: dict[IdentifierKey, Identifier] = {}
        self.identifiers: dict[int, Identifier] = {}
        self.customers: dict[int, Group] = {}
        self.links: dict[int, Link] = {}
        self.owner: dict[int, int] = {}
        self.new_links: dict[int, Link] = {}
        self.seen_links: dict[int, Link] = {}
        self.marked_links: dict[int, Link] = {}
        self._changed_at: dict[int, list[Link]] | None = None
        self.changed_identifiers: dict[int, Identifier] = {}
        self.changed_customers: set[int] = set()
        self.dropped_customers: list[int] = []
        self.apart: dict[int, set[int]] = {}
        self.same: dict[int, set[int]] = {}
        self.classes: dict[int, frozenset[int]] = {}
        self.withdrawn: int | None = None
        self.flipped: dict[int, int] = {}
        self.subjects: dict[int, int] = {}
        self.decisions: list[Decision] = []
        self.causes: dict[int, int] = {}

    # -- taking rows in

    def take(self, rows: Iterable[Identifier]) -> list[Identifier]:
        """Rows just loaded -> the rows in hand for them."""
        mine, by_key, in_hand = self.identifiers, self.by_key, []
        for row in rows:
            known = mine.setdefault(row.id, row)
            if known is row:
                by_key[row.key] = row
            in_hand.append(known)
        return in_hand

    def take_links(self, rows: Iterable[Link]) -> list[Link]:
        """Links just loaded -> the ones in hand for them."""
        mine = self.links
        return [mine.setdefault(row.pair, row) for row in rows]

    def load_customers(self, identifiers: Iterable[Identifier]) -> Asking:
        """Take in the customers of these identifiers, and whatever judgements say of them."""
        missing = {i.customer for i in identifiers if i.customer and i.customer not in self.customers}
        if missing:
            for row in (yield Customers(sorted(missing))):
                self.customers[row.key] = Group(row, row.anchor, None, [], -1)
        held_apart = [key for key in missing if self.customers[key].row.apart]
        if held_apart:
            yield from self.load_members(held_apart)
            yield from self.load_judgements(i.id for key in held_apart for i in self.members(key).values() if i.apart)
        yield from self.load_classes(identifiers)

    def load_classes(self, identifiers: Iterable[Identifier]) -> Asking:
        """Take in those judged to be one with these."""
        roots = {i.one for i in identifiers if i.one is not None and i.one not in self.classes}
        while roots:
            rows = self.take((yield Ones(sorted(roots))))
            for root in roots:
                self.classes[root] = frozenset(i.id for i in rows if i.one == root)
            yield from self.load_judgements(i.id for i in rows)
            yield from self.load_customers(rows)
            roots = {i.one for i in rows if i.one is not None and i.one not in self.classes}

    def load_members(self, keys: Iterable[int]) -> Asking:
        """Take in all identifiers of these customers, and those judged one with them."""
        missing = sorted(key for key in keys if self.customers[key].members is None)
        if not missing:
            return
        old = [key for key in missing if self.customers[key].was is not None]
        rows = self.take((yield Members(old))) if old else []
        for key in missing:
            self.customers[key].members = {i.id: i for i in self.customers[key].came if i.customer == key}
        for row in rows:
            group = self.customers.get(row.customer)
            if group is not None and group.members is not None:
                group.members[row.id] = row
        yield from self.load_classes([i for key in missing for i in self.members(key).values()])

    def load_links(self, pairs: Iterable[int]) -> Asking:
        """Take in the links of these pairs, where there are any."""
        missing = {pair for pair in pairs if pair not in self.links}
        if missing:
            self.take_links((yield Links(list(missing))))

    def load_judgements(self, identifiers: Iterable[int]) -> Asking:
        """Take in the standing judgements that name these, and the identifiers at their other ends."""
        if not (named := sorted(set(identifiers))):
            return
        judgements: list[Judgement] = yield Judgements(named)
        for judgement in judgements:
            if judgement.number == self.withdrawn:
                continue
            table = self.same if judgement.same else self.apart
            table.setdefault(judgement.a, set()).add(judgement.b)
            table.setdefault(judgement.b, set()).add(judgement.a)
        ends = {end for j in judgements for end in (j.a, j.b) if end not in self.identifiers}
        if ends:
            rows = self.take((yield ByNumber(sorted(ends))))
            missing = {i.customer for i in rows if i.customer not in self.customers}
            if missing:
                yield from self.load_customers(rows)

    # -- asking what is in hand

    def group(self, identifier: Identifier) -> Group:
        """Its customer."""
        return self.customers[identifier.customer]

    def members(self, key: int) -> dict[int, Identifier]:
        """All identifiers of a customer whose members are in hand."""
        members = self.customers[key].members
        assert members is not None, "members are loaded before they are asked for"
        return members

    def one(self, identifier: Identifier) -> frozenset[int]:
        """Those judged to be one with it, itself included."""
        return frozenset((identifier.id,)) if identifier.one is None else self.classes[identifier.one]

    def ends(self, link: Link) -> tuple[Identifier, Identifier]:
        """The weaker and the stronger end."""
        return self.identifiers[link.a], self.identifiers[link.b]

    def rank(self, link: Link) -> int:
        """A link's rank by the evidence in hand."""
        return self.rules.rank(self.identifiers[link.a].key, self.identifiers[link.b].key, link.seen, self.trusts)

    def judged_apart(self, left: Group, right: Group) -> bool:
        """Whether a member of one is judged different from a member of the other."""
        if not (left.row.apart and right.row.apart):
            return False
        fewer, more = (left, right) if left.row.apart <= right.row.apart else (right, left)
        return any(
            self.identifiers[other].customer == more.row.key
            for i in self.members(fewer.row.key).values()
            if i.apart
            for other in self.apart.get(i.id, ())
        )

    # -- making and changing

    def make_identifier(self, key: IdentifierKey, at_ms: int, born: int) -> Identifier:
        """A new identifier, a customer of its own."""
        number, customer = self.next_identifier, self.next_customer
        self.next_identifier += 1
        self.next_customer += 1
        row = Identifier(number, key, b"", customer, ALWAYS, NO_TRUST, None, None, 0, at_ms, at_ms, None, None)
        self.by_key[key] = self.identifiers[number] = row
        self.owner[number] = 0
        self.customers[customer] = self.make_group(customer, row, born)
        return row

    def make_group(self, key: int, only: Identifier, born: int) -> Group:
        """A new customer that holds one identifier."""
        rules, namespace = self.rules, only.key.namespace
        whole = [ALWAYS] * rules.whole_count
        slot = rules.slot.get(namespace)
        for bridge in rules.bridges:
            if bridge.slot != slot:
                whole[bridge.mark - FIRST_RULE] = NEVER
        row = Customer(key, only.id, rules.priority[namespace], 1, 0, rules.single(namespace), whole)
        return Group(row, None, {only.id: only}, [only], born)

    def move(self, identifier: Identifier, key: int) -> None:
        """It belongs to another customer from now on; the groups' own fields are the caller's to change."""
        self.owner.setdefault(identifier.id, identifier.customer)
        identifier.customer = key
        self.customers[key].came.append(identifier)

    def drop(self, group: Group) -> None:
        """A customer that has nobody any more."""
        del self.customers[group.row.key]
        if group.was is not None:
            self.dropped_customers.append(group.row.key)

    def decide(self, link: Link, mark: int, rank: int) -> None:
        """A link's mark and rank, as decided."""
        if link.mark != mark or link.rank != rank:
            link.mark, link.rank = mark, rank
            if link.pair not in self.new_links and link.pair not in self.marked_links:
                self.marked_links[link.pair] = link
                if self._changed_at is not None:
                    self._index(link)

    def index_changed(self) -> None:
        """From now on links that were made or marked in this transaction can be found by their ends."""
        self._changed_at = {}
        for link in (*self.new_links.values(), *self.marked_links.values()):
            self._index(link)

    def _index(self, link: Link) -> None:
        assert self._changed_at is not None
        self._changed_at.setdefault(link.a, []).append(link)
        self._changed_at.setdefault(link.b, []).append(link)

    def changed_at(self, number: int) -> list[Link]:
        """The links at this identifier that were made or marked in this transaction."""
        assert self._changed_at is not None, "links are indexed before they are asked for"
        return self._changed_at.get(number, [])

    def moves(self) -> list[Move]:
        """Every identifier whose customer is another than when the transaction began."""
        return [
            Move(number, self.identifiers[number].customer, was)
            for number, was in self.owner.items()
            if self.identifiers[number].customer != was
        ]
