"""Where events that were handed in led to."""

from collections.abc import Sequence

from onefold.ingest.commit import Outcome
from onefold.service.reading import Reading


def customers(reading: Reading, outcomes: Sequence[Outcome]) -> list[int | None]:
    """The key of the customer that each event belongs to now; None for those that are not stored."""
    again = [o.message for o in outcomes if o.message is not None and o.subject is None]
    subjects = {t.message: t.subject for t in reading.view.touchpoints(again).values()} if again else {}
    numbers = [o.subject if o.subject is not None else subjects.get(o.message or b"") for o in outcomes]
    known = reading.identifiers({number for number in numbers if number is not None})
    return [None if number is None else known[number].customer for number in numbers]
