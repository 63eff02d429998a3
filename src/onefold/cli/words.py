"""Identifiers and ledger lines in words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from onefold.model.changes import DecisionKind
from onefold.model.identifiers import IdentifierKey

if TYPE_CHECKING:
    from onefold.model.graph import Judgement
    from onefold.model.reading import LedgerLine
    from onefold.stitch.rules import Rules

LONGEST_SHOWN: Final = 80

REASONS: Final = {
    "link:server": "seen together by a server",
    "link:public": "seen together by a browser or an app",
    "judged_same": "judged the same",
    "not_judged_same": "no longer judged the same",
    "judged_different": "judged different",
    "generic": "shared by too many to be anybody's",
    "not_generic": "no longer shared by too many",
}


def name(key: IdentifierKey) -> str:
    """An identifier as the command line takes it: namespace:value."""
    return f"{key.namespace}:{key.value}"


def agreed(given: bool) -> str:
    """Whether somebody agreed."""
    return "given" if given else "withdrawn"


def short(said: str) -> str:
    """What somebody wrote, cut to what a column of a table has room for."""
    return said if len(said) <= LONGEST_SHOWN else said[: LONGEST_SHOWN - 1] + "…"


def what(line: "LedgerLine", names: Mapping[int, str]) -> str:
    """What a decision did. `names`: of all identifiers it concerns."""
    about = [names[number] for number in line.identifiers]
    customers = [names[number] for number in line.customers]
    match line.kind:
        case DecisionKind.JOINED:
            return f"{listed(about)} are one customer"
        case DecisionKind.SPLIT:
            return f"part of {customers[0]} went to {listed(customers[1:])}"
        case DecisionKind.REFUSED:
            return f"{listed(about)} stay apart"
        case DecisionKind.RELEASED:
            return f"nothing keeps {listed(about)} apart any more"
        case DecisionKind.GENERIC:
            return f"{listed(about)} {'joins people again' if line.reason == 'not_generic' else 'joins nobody'}"
        case DecisionKind.JUDGED:
            return f"{listed(about)} were judged {line.reason}"
        case DecisionKind.RETRACTED:
            return f"{listed(about)} are no longer judged {line.reason}"


def why(line: "LedgerLine", rules: "Rules", judgement: "Judgement | None") -> str:
    """The reason of a decision; that of a broken rule with its code, by which it can be looked up.

    `judgement`: the one that it is about, if it is about one.
    """
    if judgement is not None:
        said = f"{judgement.public_id} by {judgement.author}: {short(judgement.reason)}"
        return f"taken back was {said}" if line.kind is DecisionKind.RETRACTED else said
    if line.reason in REASONS:
        return REASONS[line.reason]
    from onefold.service.evidence import explained

    return f"{explained(rules, line.reason).message} ({line.reason})"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
