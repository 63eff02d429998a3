"""Reads what an event says was agreed to: `context.consent`.

Two forms are understood: `{"marketing": true, "analytics": false}`, and Segment's
(https://segment.com/docs/privacy/consent-management/), where the same stands under `categoryPreferences`.
"""

from typing import Final

from onefold.errors import Problem
from onefold.ingest.wire import JsonObject
from onefold.model.consents import LONGEST_PURPOSE, purpose_of

MOST_PURPOSES: Final = 50
MOST_WARNINGS: Final = 20

NO_CONSENTS: Final[dict[str, bool]] = {}
PREFERENCES: Final = "categoryPreferences"
_FIELD: Final = "context.consent"


def consents_of(context: JsonObject, warnings: list[Problem]) -> dict[str, bool]:
    """What was agreed to (True) or withdrawn (False), by purpose; what cannot be used is dropped with a warning.

    Two ways to write one purpose that contradict each other withdraw it, and of too many purposes those that are
    withdrawn come first: what is dropped is never somebody's no for somebody's yes.
    """
    said = context.get("consent")
    if said is None:
        return NO_CONSENTS
    field = _FIELD
    if isinstance(said, dict) and PREFERENCES in said:
        said, field = said[PREFERENCES], f"{_FIELD}.{PREFERENCES}"
    if not isinstance(said, dict):
        warnings.append(_dropped(field, "is not an object with true or false for each purpose"))
        return NO_CONSENTS
    wrong: list[Problem] = []
    found: dict[str, bool] = {}
    for name, given in said.items():
        purpose = purpose_of(name)
        if purpose is None:
            wrong.append(_dropped(field, f"has a purpose that is not a text of 1 to {LONGEST_PURPOSE} characters"))
        elif not isinstance(given, bool):
            wrong.append(_dropped(f"{field}.{purpose}", "is neither true nor false"))
        else:
            found[purpose] = given and found.get(purpose, True)
    if len(found) > MOST_PURPOSES:
        wrong.append(_dropped(field, f"has {len(found)} purposes, of which {MOST_PURPOSES} count; the rest"))
        found = dict(sorted(found.items(), key=lambda item: (item[1], item[0]))[:MOST_PURPOSES])
    warnings += wrong[:MOST_WARNINGS]
    return found


def _dropped(field: str, what: str) -> Problem:
    return Problem(
        "event.value_dropped",
        f"{field} {what}, and was dropped",
        'Send {"consent": {"marketing": true}} in the context, or what Segment calls categoryPreferences.',
        field,
    )
