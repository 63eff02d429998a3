"""Consent: what people agreed to, purpose by purpose.

Of each identifier and purpose the newest statement is kept, and of a customer the newest over all its identifiers
counts; at the same moment to withdraw counts before to give. So what counts depends on the statements alone, never on
the order in which they came. Who said nothing about a purpose has not agreed to it.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import msgspec

from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust

LONGEST_PURPOSE: Final = 100
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Consent(msgspec.Struct, frozen=True, gc=False):
    """The newest statement about one purpose that was made of one identifier.

    Attributes:
        identifier: of whom it was made.
        purpose: what for, as in `marketing`; in the sender's words, trimmed.
        given: whether it was agreed to; False: it was withdrawn, or refused.
        at_ms: when. source: name of the source that said so; trust: how far that is trusted.
    """

    identifier: IdentifierKey
    purpose: str
    given: bool
    at_ms: int
    source: str
    trust: Trust


def purpose_of(said: str) -> str | None:
    """A purpose as it is kept: trimmed, in NFC, of 1 to 100 characters; None for what is none."""
    purpose = unicodedata.normalize("NFC", said.strip())
    return purpose if 0 < len(purpose) <= LONGEST_PURPOSE and not _FORBIDDEN.search(purpose) else None


def by_precedence(consent: Consent) -> tuple[object, ...]:
    """What statements about one purpose are sorted by: the one that counts comes first."""
    return -consent.at_ms, consent.given, consent.trust, consent.identifier, consent.source


def by_purpose(consents: Iterable[Consent]) -> dict[str, list[Consent]]:
    """The statements about each purpose, that which counts first; purposes in plain order."""
    found: dict[str, list[Consent]] = {}
    for consent in sorted(consents, key=by_precedence):
        found.setdefault(consent.purpose, []).append(consent)
    return dict(sorted(found.items()))
