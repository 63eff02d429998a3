"""Stores in which there is something of every kind, and their rows."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from onefold.ingest.commit import Outcome, commit_batch
from onefold.ingest.decode import Decoder
from onefold.model.copying import Row, RowKind
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces import Namespaces
from onefold.model.normalise import Normaliser
from onefold.model.saved import Cause, MemberChange, MembershipStep, SegmentDraft
from onefold.model.sources import Source, Trust
from onefold.service import judging
from onefold.service.judging import Verdict
from onefold.stitch.rules import Rules
from onefold.store.base import Store
from onefold.store.view import Rows
from tests.support.crowd import crowd

NOON_MS: Final = 1_785_585_600_000
"""2026-08-01T12:00:00Z: when all of it is received."""
BATCH: Final = 40
SHOP: Final = Source("shop", Trust.SERVER)
WEB: Final = Source("web", Trust.PUBLIC)
MOST: Final = 1_000_000

Wire = dict[str, Any]


class Filler:
    """Sends events to a store and judges, as the service does; the clock stands still while events come in."""

    def __init__(self, store: Store, namespaces: Namespaces) -> None:
        self.store: Final = store
        self.rules: Final = Rules(namespaces)
        self._decoder: Final = Decoder(namespaces, Normaliser(namespaces, "US"), store.secret)

    def send(self, events: Sequence[Wire], source: Source = SHOP) -> list[Outcome]:
        """-> what became of each."""
        outcomes: list[Outcome] = []
        for start in range(0, len(events), BATCH):
            batch = [
                self._decoder.decode_event(json.dumps(event).encode(), source, NOON_MS)
                for event in events[start : start + BATCH]
            ]
            outcomes += commit_batch(self.store, self.rules, batch, NOON_MS)
        return outcomes

    def judge(self, verdict: str, a: str, b: str) -> int:
        """-> the judgement's number."""
        judged = judging.judge(self.store, self.rules, Verdict(verdict == "same", (key(a), key(b)), "ann", "she said"))
        assert judged.number is not None, judged
        return judged.number

    def retract(self, number: int) -> None:
        assert judging.retract(self.store, self.rules, number, "bob", "a slip").problem is None


def key(text: str) -> IdentifierKey:
    namespace, _, value = text.partition(":")
    return IdentifierKey(namespace, value)


def happened(count: int, seed: int = 3, people: int = 14) -> list[Wire]:
    """What happens in a small crowd; always the same for one seed."""
    return [happening.wire() for happening in islice(crowd(seed, people), count)]


def odd(number: int, **fields: Any) -> Wire:
    """An event that has what events of the crowd do not have."""
    return {"messageId": f"odd-{number}", "timestamp": "2026-03-02T08:00:00Z", "type": "track", "event": "Odd"} | fields


def fill(store: Store, namespaces: Namespaces, events: int = 500) -> Filler:
    """Rows of every kind: among them rejects, operators, generic identifiers, refused links, judgements made and taken
    back, claims of which the eldest were dropped, consents given and withdrawn, long and strange texts, and segments,
    one of them deleted."""
    filler = Filler(store, namespaces)
    told = happened(events)
    filler.send(told[: events // 2])
    filler.send([odd(1, userId="user 1", event=None), odd(2)])
    first = filler.judge("same", "user_id:user 3", "user_id:user 4")
    filler.judge("different", "email:person5@example.com", "user_id:user 6")
    filler.send(told[events // 2 :])
    filler.retract(first)
    web = [
        odd(3, anonymousId="visitor 🦊", properties={"note": "é\u2028ß\u0000" + "long " * 15_000}, event="Ünïcödé\n"),
        odd(4, anonymousId="visitor 🦊", context={"campaign": {"name": "spring"}, "consent": {"Werbung 🦊": True}}),
    ]
    filler.send(web, WEB)
    staff = {"namespace": "staff_id", "value": "clerk 7"}
    filler.send([odd(5, userId="user 2", identifiers=[staff], properties={"revenue": 12.5, "currency": "EUR"})])
    for number in range(60):
        named = odd(100 + number, userId="user 9", type="identify", traits={"name": f"Name {number}"})
        agreed = {"consent": {"news": number % 7 < 5, f"survey {number % 3}": number > 30}}
        filler.send([named | {"timestamp": f"2026-03-02T09:{number:02d}:00Z", "context": agreed}])
    later = "2026-03-02T10:00:00Z"
    filler.send([odd(8, userId="user 9", timestamp=later, context={"consent": {"news": False}})], WEB)
    save_segments(store)
    return filler


def save_segments(store: Store) -> None:
    """Three with members: one as it was saved, one that nobody looked at since its rule was changed, one deleted."""
    with store.write() as transaction:
        kept, changed, deleted = (
            transaction.add_segment(
                SegmentDraft(name, '{"holds":{"namespace":"user_id"}}', description, consent), NOON_MS
            )
            for name, description, consent in (
                ("Käufer", "Who bought", "ads"),
                ("other", None, None),
                ("old", None, None),
            )
        )
        lease = transaction.take_lease("segments", "a process", NOON_MS, 1)
        assert lease is not None
        entered = [MemberChange(anchor, True, NOON_MS, Cause.EVENT, 7) for anchor in (1, 2, 3)]
        left = [MemberChange(2, False, NOON_MS + 1, Cause.TIME)]
        steps = [MembershipStep(segment, 5, NOON_MS, entered, "traits") for segment in (kept, changed, deleted)]
        [kept, _, _] = transaction.keep(lease, steps)
        transaction.keep(lease, [MembershipStep(kept, 6, NOON_MS + 1, left, "traits")])
        transaction.change_segment(changed.number, SegmentDraft("other", "{}"), NOON_MS)
        transaction.drop_segment(deleted.number, NOON_MS)
        transaction.clear_dropped(2)
        ended = transaction.take_lease("another", "a process", NOON_MS, 1)
        assert ended is not None
        transaction.end_lease(ended)


def all_rows(store: Rows, page: int = MOST) -> dict[RowKind, list[Row]]:
    """Everything there is, read in pages."""
    found: dict[RowKind, list[Row]] = {}
    for kind in RowKind:
        rows = found[kind] = []
        while more := store.rows(kind, rows[-1][0] if rows else 0, page):
            assert len(more) <= page
            rows += more
    return found
