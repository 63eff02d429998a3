"""How a view keeps to one state of a database that keeps no old ones.

Neo4j shows what is committed, node by node, while a commit is being applied too. Whoever commits therefore holds the
node `gate` from just before the commit until it is applied. A view's statement first collects what it was asked for,
then takes the gate, then reads the head. Nothing was committed meanwhile if that is the head known from before.

Whether saved segments and their members changed is told by `step`, another property of the head: only those views move
because of it that are asked about segments.

To take the gate is to set a property to the value it has: Neo4j locks the node and writes nothing.
"""

from typing import Any, Final

import neo4j

from onefold.errors import OnefoldError
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.rows import Row, ask
from onefold.store.view import MovedError

READ_ONLY: Final = "store.read_only"

GATE: Final = " MATCH (g:Meta {name: 'gate'}) SET g.lock = 1 WITH rows"
TAIL: Final = (
    f" WITH rows{GATE} MATCH (m:Meta {{name: 'head'}}) "
    "RETURN rows, [m.seq, m.identifier, m.customer, m.judgement, m.customers, m.links, m.touchpoints, m.decisions, "
    "m.reject, coalesce(m.step, 0)]"
)
# Every statement names its indexes, so a plan that was made for an empty graph is as good as any.
BEGIN: Final = "CYPHER replan=skip "
HEAD: Final = f"{BEGIN}WITH [] AS rows{TAIL}"
STEP: Final = -1
"""Where `step` stands in a head."""
MOST_BEGINNINGS: Final = 4
"""How often a view's first statement is asked."""


def gated(collecting: str) -> str:
    """A statement that answers with what `collecting` returns as `rows`, and with the head.

    What it collects is sought by ranges, even where they hold one value (`n <= x <= n`). The whole statement is one
    that writes, and in such a one Neo4j locks the entries of unique indexes that are sought by equality, also of what
    is not there: readers of something that is just being created would wait for its creation. The value is a
    variable: of a range whose ends are one parameter or property, Neo4j seeks by the upper end alone.
    """
    return f"{BEGIN}CALL () {{ {collecting} AS rows }}{TAIL}"


class Last:
    """The head that this process saw last, under the gate: that commit is applied. Its last value is `step`."""

    __slots__ = ("head",)

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self.head: Row | None = None


class Moving:
    """Asks statements in transactions of their own, and notices when something was committed between them."""

    def __init__(self, connections: Connections, last: Last) -> None:
        """Nothing is asked yet."""
        self.moved = False
        self._connections: Final = connections
        self._last: Final = last
        self._head: Row | None = None

    def head(self) -> Row:
        """Where the store stands. It costs a statement only if nothing was asked before. Raises MovedError."""
        self.check()
        if self._head is None:
            _, self._head = self._answer(HEAD)
        return self._head

    def ask(self, statement: str, *, steps: bool = False, **p: Any) -> Any:
        """What a gated statement collects. `steps`: whether that is about segments too. Raises MovedError."""
        self.check()
        compared = None if steps else STEP
        known, most = (self._last.head, MOST_BEGINNINGS) if self._head is None else (self._head, 1)
        for _ in range(most):
            rows, head = self._answer(statement, **p)
            if known is not None and head[:compared] == known[:compared]:
                self._head = self._head or head
                return rows
            known = head  # it was applied before this is asked again
        self.moved = True
        raise MovedError

    def check(self) -> None:
        """Raise MovedError if it has moved."""
        if self.moved:
            raise MovedError

    def _answer(self, statement: str, **p: Any) -> Row:
        try:
            answer = self._connections.ask(statement, **p)
        except OnefoldError as error:
            if error.problem.code != READ_ONLY:
                raise
            # Nobody can take the gate of a database that takes no writes, and nobody commits to it.
            answer = self._connections.ask(statement.replace(GATE, ""), **p)
        self._last.head = answer[1]
        return answer


class Holding:
    """Asks statements in one transaction that holds the gate: meanwhile nobody commits."""

    moved: Final = False

    def __init__(self, transaction: neo4j.Transaction, head: Row) -> None:
        """The transaction's first statement was HEAD."""
        self._transaction: Final = transaction
        self._head: Final = head

    def head(self) -> Row:
        """Where the store stands."""
        return self._head

    def check(self) -> None:
        """It cannot move."""

    def ask(self, statement: str, *, steps: bool = False, **p: Any) -> Any:
        """What a gated statement collects, be it about segments or not."""
        rows, _ = ask(self._transaction, statement, **p)
        return rows
