"""Reading touchpoints, and which of them a filter lets through."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from onefold.model.reading import PropertyMatch, Touchpoint, TouchpointFilter
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import LARGEST, ask, blobs, read_number_tuple

TOUCHPOINT: Final = (
    "t.number, t.message, t.message_id, t.source, t.at_ms, t.received_ms, t.type, t.name, t.channel, t.campaign, "
    "t.revenue, t.currency, t.subject, t.device, t.identifiers, CAST(t.body AS BLOB)"
)
BY_NUMBER: Final = f"SELECT {TOUCHPOINT} FROM carray(?) k CROSS JOIN touchpoints t ON t.number = k.value"
BY_MESSAGE: Final = f"SELECT {TOUCHPOINT} FROM carray(?) k CROSS JOIN touchpoints t ON t.message = k.value"

Condition = tuple[str, tuple[Any, ...]]
"""A condition on the table `touchpoints`, and the values of its parameters."""


class Touchpoints(Snapshot):
    """Single touchpoints."""

    __slots__ = ()

    def touchpoints(self, messages: Sequence[bytes]) -> dict[bytes, Touchpoint]:
        """Touchpoints by message hash."""
        if not messages:
            return {}
        rows = ask(self._connection, BY_MESSAGE, blobs(set(messages)))
        return {found.message: found for found in self._touchpoints(rows)}

    def touchpoints_by_number(self, numbers: Sequence[int]) -> dict[int, Touchpoint]:
        """Touchpoints by their place in the feed."""
        return {found.number: found for found in self._touchpoints(self._ask(BY_NUMBER, numbers))}

    def _touchpoints(self, rows: Iterable[tuple[Any, ...]]) -> list[Touchpoint]:
        names = {number: source.name for number, source in self._known_sources().items()}
        read = _read_identifiers
        return [
            Touchpoint(
                number, message, message_id, names[source], at_ms, received_ms, kind, name, channel, campaign,
                revenue, currency, subject, device, read(identifiers), body,
            )
            for number, message, message_id, source, at_ms, received_ms, kind, name, channel, campaign,
            revenue, currency, subject, device, identifiers, body in rows
        ]  # fmt: skip


def _read_identifiers(text: str) -> tuple[int, ...]:
    numbers = read_number_tuple(text)
    return tuple(map(abs, numbers)) if "-" in text else numbers


def conditions(wanted: TouchpointFilter) -> list[Condition]:
    """What a filter asks, all of which must hold."""
    asked: list[Condition] = []
    for column, values in (
        ("type", wanted.types),
        ("name", wanted.names),
        ("channel", wanted.channels),
        ("campaign", wanted.campaigns),
    ):
        if values is not None:
            asked.append((f"{column} IN ({', '.join('?' * len(values))})", values))
    asked += map(_property, wanted.properties)
    if wanted.after_ms is not None:
        asked.append(("at_ms >= ?", (wanted.after_ms,)))
    if wanted.before_ms is not None:
        asked.append(("at_ms < ?", (wanted.before_ms,)))
    return asked


def _property(wanted: PropertyMatch) -> Condition:
    """Types are compared too: SQLite shows JSON's true as 1, and null like a property that is not there."""
    path, value = f"$.properties.{msgspec.json.encode(wanted.name).decode()}", wanted.value
    match value:
        case None:
            return "json_type(body, ?) = 'null'", (path,)
        case bool():
            return "json_type(body, ?) = ?", (path, "true" if value else "false")
        case str():
            return "(json_type(body, ?) = 'text' AND json_extract(body, ?) = ?)", (path, path, value)
    number = float(value) if abs(value) > LARGEST else value
    return "(json_type(body, ?) IN ('integer', 'real') AND json_extract(body, ?) = ?)", (path, path, number)
