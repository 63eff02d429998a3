"""Consent that is required besides a rule."""

from typing import Final

from msgspec import structs

from onefold.analytics.segments.names import unknown_names
from onefold.errors import OnefoldError, Problem
from onefold.model.consents import LONGEST_PURPOSE, purpose_of
from onefold.model.rates import Rates
from onefold.model.segments import ConsentTest, SegmentRule
from onefold.readmodel.model import Asking

FIELD: Final = "requireConsent"
"""Its place in what is asked."""


def required(said: str | None) -> str | None:
    """The purpose as it is kept; None where none is required. Raises `segment.invalid`."""
    if said is None:
        return None
    purpose = purpose_of(said)
    if purpose is None:
        hint = f"A purpose has 1 to {LONGEST_PURPOSE} characters, as marketing."
        raise OnefoldError("segment.invalid", f"{FIELD}: this is no purpose", hint, FIELD)
    return purpose


def unknown(asking: Asking, rule: SegmentRule, purpose: str | None, rates: Rates) -> list[Problem]:
    """As `unknown_names`, of a settled rule and of the purpose that is required besides."""
    named = [] if purpose is None else unknown_names(asking, ConsentTest(purpose))
    return [*unknown_names(asking, rule, rates.declared), *(placed(problem, FIELD) for problem in named)]


def placed(problem: Problem, field: str) -> Problem:
    """A problem of a test that stands in no rule, found in the place where it was asked for."""
    return structs.replace(problem, field=field, message=f"{field}:{problem.message.partition(':')[2]}")
