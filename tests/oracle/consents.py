"""What customers agreed to (design, section 7), recomputed from all statements that were ever made."""

from typing import NamedTuple, TypeAlias

from tests.oracle.evidence import Evidence, Identifier
from tests.oracle.stitching import Stitched


class Consent(NamedTuple):
    """The statement that counts for one purpose."""

    given: bool
    at_ms: int
    identifier: Identifier
    source: str


Consents: TypeAlias = dict[str, Consent]


def consents(evidence: Evidence, stitched: Stitched) -> dict[Identifier, Consents]:
    """Anchor of each customer -> {purpose: the newest statement over all identifiers of the customer}.

    A statement hangs on the strongest identifier of its event, generic or not. At the same moment to withdraw counts
    before to give; then the more trusted source, then identifier and source in plain order.
    """
    found: dict[Identifier, Consents] = {anchor: {} for anchor in stitched.customers.values()}
    precedence: dict[tuple[Identifier, str], tuple[int, bool, int, Identifier, str]] = {}
    for event in evidence.events.values():
        identifier = evidence.linking(event)[0]
        anchor = stitched.customers[identifier]
        for purpose, given in event.consents.items():
            place = -event.consent_ms, given, event.trust, identifier, event.source
            if (anchor, purpose) not in precedence or place < precedence[anchor, purpose]:
                precedence[anchor, purpose] = place
                found[anchor][purpose] = Consent(given, event.consent_ms, identifier, event.source)
    return found
