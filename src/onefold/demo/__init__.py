"""A story of forty events, small enough to be followed by eye; `onefold.demo.shop` makes up a whole shop.

Four people deal with Alder, a coffee roaster. Ann looks around for weeks before she opens an account. Ben and Chloe
share a tablet. Dora telephones, opens letters and pays with a card until a CRM record says that all that is one person;
then she registers with the address of the café that she and Ben work for.
"""

from importlib.resources import files
from typing import Final

from msgspec import structs

from onefold.errors import OnefoldError
from onefold.ingest.commit import Status
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Source, Trust
from onefold.service import Onefold

SOURCE: Final = Source("demo", Trust.SERVER)
STORE: Final = "sqlite:///onefold-demo.db"
"""Where the demo keeps the story unless told otherwise."""

PEOPLE: Final = tuple(IdentifierKey("user_id", value) for value in ("u-1001", "u-1002", "u-1003", "u-1004"))
HEROINE: Final = IdentifierKey("email", "ann@example.com")
QUERY: Final = """\
{ customer(by: {identifier: {namespace: "email", value: "ann@example.com"}}) {
    profile { traits { name value } }
    journey(first: 3) { edges { node { at name channel retroactive } } } } }"""


def events() -> list[bytes]:
    """The story, one JSON object an event, in the order in which things happened."""
    return (files("onefold.demo") / "story.jsonl").read_bytes().splitlines()


def tell(onefold: Onefold) -> int:
    """Send in the story as it happened, one event after the other, each stitched before the next; -> how many were new.

    Telling it again changes nothing. Raises OnefoldError with what is wrong with an event that cannot be understood,
    and what `Onefold.submit` raises.
    """
    told = [onefold.ingest([event], SOURCE)[0] for event in events()]
    for outcome in told:
        if outcome.status is Status.REJECTED and outcome.problem:
            raise OnefoldError(*structs.astuple(outcome.problem))
    return sum(outcome.status is Status.ACCEPTED for outcome in told)
