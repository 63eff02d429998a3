"""The whole check: a history played turn by turn, with everything that must hold after each turn."""

from collections.abc import Iterable

from tests.oracle.evidence import PUBLIC, SERVER, Identifier
from tests.oracle.stitching import Stitched
from tests.property.agreement import check, customers
from tests.property.ledger import Told
from tests.property.playing import Expected, Player
from tests.property.strategies import History

NOTHING = Stitched({}, {}, {SERVER: frozenset(), PUBLIC: frozenset()}, {})


def hold(history: History, expectations: Iterable[Expected]) -> Player:
    """Play what the oracle foretold. Raises AssertionError at the first turn after which something does not hold."""
    player, before = Player(history.rules, history.size_limit), NOTHING
    answered: set[Identifier] = set()
    for expected in expectations:
        assert player.play(expected.turn) == expected.admitted, "what was let in"
        check(player.store, expected)
        Told(player, before, expected).check()
        owners = customers(player.store)
        answered |= set(owners.values())
        assert answered <= owners.keys(), "an id that was once a customer's names no identifier of any"
        before = expected.stitched
    return player
