"""The order in which links are taken, as numbers.

A link's rank is one integer, smaller for a stronger link: by trust, then the weaker end's priority, the stronger end's,
and its age; 1 + 8 + 8 + 45 bits. Where namespaces of one priority differ in `prefer`, those that prefer the newest come
first. Links of one rank are told apart by their identifiers in plain order (`Place`).

A *bound* is a rank too, and speaks of every rank **above** it: "at every rank above this one, … holds". So a bound may
always be raised without becoming wrong; ALWAYS and NEVER are its ends.
"""

from typing import Final

from onefold.model.graph import Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust

AGE_BITS: Final = 45
OLDEST: Final = 1 << (AGE_BITS - 1)
STRONG_SHIFT: Final = AGE_BITS
WEAK_SHIFT: Final = AGE_BITS + 8
TRUST_SHIFT: Final = AGE_BITS + 16
ALWAYS: Final = -1
NEVER: Final = 1 << (TRUST_SHIFT + 1)

Place = tuple[int, IdentifierKey, IdentifierKey]
"""Where exactly a link stands: its rank, then its two identifiers in plain order."""

LAST: Final[Place] = (NEVER, IdentifierKey("", ""), IdentifierKey("", ""))
FIRST: Final[Place] = (ALWAYS, IdentifierKey("", ""), IdentifierKey("", ""))


def best_trust(seen: list[Seen], trusts: dict[int, Trust]) -> Trust:
    """The best trust among the sources that saw a link."""
    if len(seen) == 1:
        return trusts[seen[0].source]
    return min(trusts[one.source] for one in seen)


def trust_of(rank: int) -> int:
    """The best trust of the sources behind a link of this rank."""
    return rank >> TRUST_SHIFT


def weaker_priority(rank: int) -> int:
    """The priority of a link's weaker end."""
    return rank >> WEAK_SHIFT & 0xFF


def rank_of(base: int, newest: bool, seen: list[Seen], trusts: dict[int, Trust]) -> int:
    """The rank of a link with this evidence.

    Args:
        base: `Rules.base` of its two namespaces: their priorities in place.
        newest: whether the weaker end prefers the link seen last.
        seen: at least one source's evidence; only that of the best trust counts.
        trusts: by source number.
    """
    if len(seen) == 1:
        trust, counting = trusts[seen[0].source], seen
    else:
        trust = min(trusts[one.source] for one in seen)
        counting = [one for one in seen if trusts[one.source] == trust]
    age = OLDEST - 1 - max(s.last_ms for s in counting) if newest else OLDEST + min(s.first_ms for s in counting)
    return trust << TRUST_SHIFT | base | age
