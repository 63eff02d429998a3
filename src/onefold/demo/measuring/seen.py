"""A touchpoint as measures see it: where stitching put it, and whose it is."""

from collections.abc import Container, Sequence

import msgspec

NOBODY = -1
"""Whose a script's touchpoints are."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One touchpoint.

    Attributes:
        part: of the world. Parts share nobody and no identifier, so each is measured by itself.
        person, household: the truth; NOBODY for a script's.
        trap: what makes it hard to place, None for what is plain.
        customer: whose journey shows it; None if it is in nobody's, filed under what is generic.
        identifiers: numbers of those that may link, the strongest first; at least one.
    """

    part: int
    person: int
    household: int
    trap: str | None
    customer: int | None
    identifiers: tuple[int, ...]


class Stitched(msgspec.Struct, frozen=True):
    """What stitching made of identifiers, by their numbers.

    Attributes:
        customer: each one's customer, 0 for operators. generic: those that join nobody.
        telling: those that are a person's or reach one (kinds person and contact); the rest are devices.
    """

    customer: Sequence[int]
    generic: Container[int]
    telling: Container[int]
