"""What a transaction reads while it begins, in the statement that takes its lock: what a batch is known to need.

It saves most commits two or three round trips. Each row is handed out once: whoever is given it may change it.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, Final, TypeVar

from onefold.store.base import Ahead
from onefold.store.neo4j.rows import CUSTOMER, IDENTIFIER, LINK, LOW_HALF, Row, public_of
from onefold.store.neo4j.writing.known import Known

Key = TypeVar("Key", int, str)

# Two identifiers may be linked one way or the other: which of them is the weaker is not looked at here.
READ: Final = (
    "CALL (m) { UNWIND $p.messages AS id MATCH (t:Touchpoint {id: id}) USING INDEX SEEK t:Touchpoint(id) "
    "RETURN collect([id, t.content]) AS messages } "
    "CALL (m) { UNWIND $p.ids AS id MATCH (i:Identifier {id: id}) USING INDEX SEEK i:Identifier(id) "
    "RETURN collect(i) AS known } "
    "CALL (m, known) { UNWIND known AS i WITH DISTINCT i.customer AS key "
    "MATCH (c:Customer {key: key}) USING INDEX SEEK c:Customer(key) "
    f"RETURN collect({CUSTOMER}) AS customers }} "
    "CALL (m) { UNWIND $p.pairs AS pair "
    "MATCH (a:Identifier {id: $p.ids[pair[0]]}) USING INDEX SEEK a:Identifier(id) "
    "MATCH (b:Identifier {id: $p.ids[pair[1]]}) USING INDEX SEEK b:Identifier(id) "
    f"UNWIND [a.number * {LOW_HALF + 1} + b.number, b.number * {LOW_HALF + 1} + a.number] AS number "
    "MATCH ()-[l:LINKED {pair: number}]->() USING INDEX SEEK l:LINKED(pair) "
    f"RETURN collect({LINK}) AS links }} "
)
READS: Final = f"messages, [i IN known | {IDENTIFIER}], customers, links"
"""What `READ` leaves, as it is returned."""
READ_COLUMNS: Final = 4


class Question:
    """What is asked ahead, as parameters of `READ`."""

    __slots__ = ("ids", "keys", "message_ids", "messages", "pairs")

    def __init__(self, ahead: Ahead | None, known: Known) -> None:
        """Nothing is asked without `ahead`. `known` makes public ids."""
        self.messages: Final = [] if ahead is None else list(ahead.messages)
        self.message_ids: Final = [known.message_id(message) for message in self.messages]
        groups = [] if ahead is None else ahead.together
        self.keys: Final = list(dict.fromkeys(key for group in groups for key in group))
        self.ids: Final = [known.public_id(key) for key in self.keys]
        place = {key: number for number, key in enumerate(self.keys)}
        together = {tuple(group) for group in groups if len(group) > 1}
        pairs = {pair for group in together for pair in combinations([place[key] for key in group], 2)}
        self.pairs: Final = [[*pair] for pair in pairs]

    def parameters(self) -> dict[str, Any]:
        """For `$p`."""
        return {"messages": self.message_ids, "ids": self.ids, "pairs": self.pairs}


class InHand:
    """What was read ahead, as long as nothing has changed.

    Attributes:
        messages: asked for -> content hash, None if it is not stored.
        identifiers: by public id; None where there is none. customers: by key. links: by pair, None likewise.
    """

    __slots__ = ("customers", "identifiers", "links", "messages")

    def __init__(self, asked: Question, answer: Sequence[list[Row]]) -> None:
        """`answer`: what `READS` says."""
        messages, identifiers, customers, links = answer
        contents = {public_of(found): bytes.fromhex(content) for found, content in messages}
        self.messages: Final = {message: contents.get(message) for message in asked.messages}
        self.identifiers: Final[dict[str, Row | None]] = dict.fromkeys(asked.ids)
        self.identifiers.update((row[3], row) for row in identifiers)
        self.customers: Final[dict[int, Row | None]] = {row[0]: row for row in customers}
        self.links: Final[dict[int, Row | None]] = {}
        numbers = [None if (row := self.identifiers[found]) is None else row[0] for found in asked.ids]
        for a, b in asked.pairs:
            one, other = numbers[a], numbers[b]
            if one is not None and other is not None:
                self.links[one << 32 | other] = self.links[other << 32 | one] = None
        self.links.update((row[0], row) for row in links)

    def clear(self) -> None:
        """Something has changed."""
        for rows in (self.messages, self.identifiers, self.customers, self.links):
            rows.clear()


def taken(rows: dict[Key, Row | None], keys: Iterable[Key]) -> tuple[list[Row], list[Key]]:
    """The rows in hand of these keys, which leave it; and the keys of which nothing is known."""
    found: list[Row] = []
    missing: list[Key] = []
    for key in dict.fromkeys(keys):
        if key in rows:
            row = rows.pop(key)
            if row is not None:
                found.append(row)
        else:
            missing.append(key)
    return found, missing
