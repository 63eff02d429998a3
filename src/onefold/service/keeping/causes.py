"""Why somebody came into a segment or left it.

When several things happened to a customer since the members were last right, the weightiest is told: a judgement, then
that identifiers came together or apart, then consent, then the newest event; time, where the rule would have answered
otherwise at the moment that the members were right for.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Final

import msgspec

from onefold.model.changes import DecisionKind
from onefold.model.reading import LedgerLine
from onefold.model.saved import Cause
from onefold.readmodel.model import Asking
from onefold.service.keeping.touched import InOneState, Touched, portions
from onefold.service.reading import Reading

MOST_DECISIONS: Final = 50
"""So many of a customer's newest decisions are looked at."""
EVERYBODY: Final = 0
"""What the whole store's decisions stand under."""
STRUCTURAL: Final = (DecisionKind.JOINED, DecisionKind.SPLIT, DecisionKind.GENERIC)
JUDGED: Final = (DecisionKind.JUDGED, DecisionKind.RETRACTED)
GENERIC: Final = "generic"
"""The reason of a decision that an identifier became generic; else that it no longer is."""

HOLDERS: Final = (
    "SELECT a.number, a.customer, c.anchor, i.number FROM internal.identifiers a "
    "JOIN internal.customers c ON c.customer = a.customer JOIN internal.identifiers i ON i.customer = a.customer "
    "WHERE a.number IN (SELECT unnest($anchors::BIGINT[]))"
)
NEWEST: Final = (
    "SELECT i.customer, max(t.number), max(t.number) FILTER (json_exists(t.body, '/context/consent')) "
    "FROM internal.touchpoints t JOIN internal.identifiers i ON i.number = t.subject "
    "WHERE t.number > $since AND i.customer IN (SELECT unnest($customers::BIGINT[])) GROUP BY i.customer"
)
NOTHING: Final = (None, None)

Told = tuple[Cause, int | None]
"""A cause, and what it refers to (`onefold.model.saved.MemberChange`)."""
TIME: Final[Told] = (Cause.TIME, None)


class Happened(msgspec.Struct, frozen=True):
    """What happened to the customer that holds an anchor. `agreed`: consent of one of its identifiers changed;
    `touchpoint`: its newest; `consented`: its newest that says what was agreed to."""

    customer: int
    structural: Told | None
    agreed: bool
    touchpoint: int | None
    consented: int | None

    def cause(self, *, consent: bool) -> Told:
        """Why the customer's answer changed. `consent`: whether it depends on any."""
        if self.structural is not None:
            return self.structural
        return (Cause.CONSENT, self.consented) if consent and self.agreed else (Cause.EVENT, self.touchpoint)


class _Holder(msgspec.Struct, frozen=True):
    """Who holds an anchor: a customer that has another anchor now where `gone`."""

    customer: int
    gone: bool


def happened(
    in_one_state: InOneState, asking: Asking, touched: Touched, anchors: Collection[int]
) -> dict[int, Happened]:
    """What happened since the members were right to those who hold these anchors, as far as they were touched."""
    found: dict[int, Happened] = {}
    for portion in portions(anchors):
        holders, held = _holders(asking, portion, touched)
        rows = asking.rows(NEWEST, {"since": touched.since, "customers": list(held)})
        newest = {customer: numbers for customer, *numbers in rows}
        recent = range(touched.since + 1, asking.as_of_seq + 1)
        lines = in_one_state(partial(_decisions, anchors=list(holders), recent=recent, flipped=bool(touched.flipped)))
        for anchor, holder in holders.items():
            structural = _structural(anchor, lines.get(anchor, []), gone=holder.gone)
            if structural is None and holder.customer in touched.flipped:
                structural = _of_flips(lines.get(EVERYBODY, []))
            agreed = not touched.consents_of.isdisjoint(held[holder.customer])
            found[anchor] = Happened(holder.customer, structural, agreed, *newest.get(holder.customer, NOTHING))
    return found


def _holders(
    asking: Asking, anchors: Iterable[int], touched: Touched
) -> tuple[dict[int, _Holder], dict[int, set[int]]]:
    """Who holds each anchor, of those touched; and all that they hold."""
    holders: dict[int, _Holder] = {}
    held: dict[int, set[int]] = {}
    for anchor, customer, now, number in asking.rows(HOLDERS, {"anchors": list(anchors)}):
        if customer in touched.customers:
            holders[anchor] = _Holder(customer, now != anchor)
            held.setdefault(customer, set()).add(number)
    return holders, held


def _decisions(reading: Reading, anchors: list[int], recent: range, *, flipped: bool) -> dict[int, list[LedgerLine]]:
    """The newest decisions about those who hold these anchors, by anchor; and where touchpoints have `flipped` to other
    subjects, those about generic identifiers under EVERYBODY. `recent`: the sequence numbers of those that count, for
    the store may have gone on."""
    view = reading.view
    customer = {anchor: known.customer for anchor, known in view.by_number(anchors).items()}
    lines = view.decisions(list(set(customer.values())), [*STRUCTURAL, *JUDGED], MOST_DECISIONS)
    if flipped:
        lines = lines | view.decisions(None, [DecisionKind.GENERIC], MOST_DECISIONS)
    found = {key: [line for line in of if line.seq in recent] for key, of in lines.items()}
    return {anchor: found.get(key, []) for anchor, key in customer.items()} | {EVERYBODY: found.get(EVERYBODY, [])}


def _structural(anchor: int, lines: list[LedgerLine], *, gone: bool) -> Told | None:
    """The decision that made of the customer another than it was: one that names the anchor, if there is one."""
    decided = [line for line in lines if line.kind in STRUCTURAL and (gone or not _took(line, anchor))]
    line = next((line for line in decided if anchor in line.customers), decided[0] if decided else None)
    if line is None:
        return None
    judged = next((it for it in lines if it.kind in JUDGED and it.at_ms == line.at_ms), None)
    return (Cause.JUDGEMENT, judged.seq) if judged is not None else _told(line)


def _took(line: LedgerLine, anchor: int) -> bool:
    """Whether an identifier of this anchor's customer was joined to another, to which it went."""
    return line.kind is DecisionKind.JOINED and anchor in line.customers[1:]


def _of_flips(lines: list[LedgerLine]) -> Told | None:
    return _told(lines[0]) if lines else None


def _told(line: LedgerLine) -> Told:
    joined = line.kind is DecisionKind.JOINED or (line.kind is DecisionKind.GENERIC and line.reason != GENERIC)
    return (Cause.JOIN if joined else Cause.SPLIT), line.seq


def told(anchor: int, found: Mapping[int, Happened], by_time: Collection[int], *, consent: bool) -> Told:
    """Why the holder of an anchor came in or left. `by_time`: the anchors of those whom only the time turned."""
    happened_to = found.get(anchor)
    return TIME if happened_to is None or anchor in by_time else happened_to.cause(consent=consent)
