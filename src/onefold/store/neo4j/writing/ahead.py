"""What a transaction reads while it begins, in the statement that takes its lock: what a batch is known to need.

It saves most commits two or three round trips. Each row is handed out once: whoever is given it may change it.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, Final, TypeVar

from onefold.model.graph import Identifier
from onefold.model.identifiers import IdentifierKey
from onefold.store.base import Ahead
from onefold.store.neo4j.rows import CUSTOMER, KEPT_OF_IDENTIFIER, LINK, LOW_HALF, Row, public_of
from onefold.store.neo4j.writing.names import Names

Key = TypeVar("Key", int, IdentifierKey)
Held = TypeVar("Held", Identifier, Row)

# `held` runs parallel to the ids: a list of the node, or an empty one. Two identifiers may be linked one way or the
# other: which of them is the weaker is not looked at here.
READ: Final = (
    "CALL (m) { UNWIND $p.messages AS id MATCH (t:Touchpoint {id: id}) USING INDEX SEEK t:Touchpoint(id) "
    "RETURN collect([id, t.content]) AS messages } "
    "CALL (m) { RETURN [id IN $p.ids | COLLECT { "
    "MATCH (i:Identifier {id: id}) USING INDEX SEEK i:Identifier(id) RETURN i }] AS held } "
    "CALL (m, held) { UNWIND held AS place UNWIND place AS i MATCH (c)-[:HAS]->(i) "
    f"WITH DISTINCT c RETURN collect({CUSTOMER}) AS customers }} "
    "CALL (m, held) { UNWIND $p.pairs AS pair WITH held[pair[0]][0].number AS a, held[pair[1]][0].number AS b "
    f"UNWIND [a * {LOW_HALF + 1} + b, b * {LOW_HALF + 1} + a] AS number "
    "MATCH ()-[l:LINKED {pair: number}]->() USING INDEX SEEK l:LINKED(pair) "
    f"RETURN collect({LINK}) AS links }} "
)
READS: Final = f"messages, [place IN held | [i IN place | {KEPT_OF_IDENTIFIER}]], customers, links"
"""What `READ` leaves, as it is returned."""
READ_COLUMNS: Final = 4
READ_ALONE: Final = f"CYPHER replan=skip WITH 1 AS m {READ}RETURN {READS}"
"""The same as a statement of its own."""


class Question:
    """What is asked ahead, as parameters of `READ`."""

    __slots__ = ("ids", "keys", "message_ids", "messages", "pairs")

    def __init__(self, ahead: Ahead | None, names: Names) -> None:
        """Nothing is asked without `ahead`. `names` makes public ids."""
        self.messages: Final = [] if ahead is None else list(ahead.messages)
        self.message_ids: Final = [names.touchpoint(message) for message in self.messages]
        groups = [] if ahead is None else ahead.together
        self.keys: Final = list(dict.fromkeys(key for group in groups for key in group))
        self.ids: Final = [names.identifier(key) for key in self.keys]
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
        identifiers: by namespace and value; None where there is none. customers: by key. links: by pair, None likewise.
        public: the public ids of the identifiers, by their numbers.
    """

    __slots__ = ("customers", "identifiers", "links", "messages", "public")

    def __init__(self, asked: Question, answer: Sequence[list[Any]], names: Names) -> None:
        """`answer`: what `READS` says."""
        messages, held, customers, links = answer
        contents = {public_of(found): bytes.fromhex(content) for found, content in messages}
        self.messages: Final = {message: contents.get(message) for message in asked.messages}
        self.identifiers: Final[dict[IdentifierKey, Identifier | None]] = dict.fromkeys(asked.keys)
        self.customers: Final[dict[int, Row | None]] = {row[0]: row for row in customers}
        self.links: Final[dict[int, Row | None]] = {}
        self.public: Final[dict[int, str]] = {}
        for key, found in zip(asked.keys, held, strict=True):
            for number, *kept in found:
                self.identifiers[key] = Identifier(number, key, names.digest(key), *kept)
                self.public[number] = names.identifier(key)
        for one, other in asked.pairs:
            if held[one] and held[other]:
                [[a, *_]], [[b, *_]] = held[one], held[other]
                self.links[a << 32 | b] = self.links[b << 32 | a] = None
        self.links.update((row[0], row) for row in links)

    def take_over(self, other: "InHand") -> None:
        """Have in hand what the other has, too. What both have is as this one has it."""
        for mine, theirs in zip(self.kinds(), other.kinds(), strict=True):
            mine.update((key, row) for key, row in theirs.items() if key not in mine)

    def clear(self) -> None:
        """Something has changed."""
        for rows in self.kinds():
            rows.clear()

    def kinds(self) -> tuple[dict[Any, Any], ...]:
        """Its rows, kind by kind."""
        return self.messages, self.identifiers, self.customers, self.links, self.public


def taken(rows: dict[Key, Held | None], keys: Iterable[Key]) -> tuple[list[Held], list[Key]]:
    """The rows in hand of these keys, which leave it; and the keys of which nothing is known."""
    found: list[Held] = []
    missing: list[Key] = []
    for key in dict.fromkeys(keys):
        if key in rows:
            row = rows.pop(key)
            if row is not None:
                found.append(row)
        else:
            missing.append(key)
    return found, missing
