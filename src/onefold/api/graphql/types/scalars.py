"""The scalars. Inside they are what the service speaks: times are milliseconds, JSON and decimals are text."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NewType

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

DateTime = NewType("DateTime", int)
"""Milliseconds since 1970."""
Json = NewType("Json", object)
"""Outwards: JSON text, which the answer takes in as it is. Inwards: the decoded value."""
Decimal = NewType("Decimal", str)
"""A plain decimal number."""
Seq = NewType("Seq", int)
"""A sequence number."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
GREATEST_SEQ: Final = 2**63 - 1


def iso(at_ms: int) -> str:
    """The time in ISO 8601, UTC, to the millisecond."""
    moment = EPOCH + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_time(said: object) -> int:
    """Milliseconds since 1970; a time without an offset is UTC. One whose offset leads out of the years 1 to 9999 is as
    good as their first or last moment: nothing that onefold holds is as early or as late."""
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise GraphQLError("DateTime is a time in ISO 8601, such as 2026-03-01T09:30:00Z.")
    moment = min(max(moment.replace(tzinfo=moment.tzinfo or UTC), FIRST), LAST)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def parse_seq(said: object) -> int:
    """The number; at most 2^63 - 1."""
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) <= 19 and int(said) <= GREATEST_SEQ:
        return int(said)
    raise GraphQLError("Seq is a text of digits, as an answer gave it.")


def _parse_decimal(said: object) -> str:
    raise GraphQLError("Decimal is not taken from clients.")


def _text(text: str) -> orjson.Fragment:
    return orjson.Fragment(text)


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment: ISO 8601, UTC, to the millisecond, as in `2026-03-01T09:30:00.000Z`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=iso,
        parse_value=parse_time,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value, as it was sent.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_text,
        parse_value=lambda said: said,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='A decimal number as text, so that nothing is lost on the way: `"19.90"`.',
        serialize=str,
        parse_value=_parse_decimal,
    ),
    Seq: strawberry.scalar(
        name="Seq",
        description="A place in the change feed: a whole number as text, for it outgrows what an Int holds.",
        serialize=str,
        parse_value=parse_seq,
    ),
}
