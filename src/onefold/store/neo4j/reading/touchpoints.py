"""Reading touchpoints."""

from collections.abc import Iterable, Sequence
from typing import Final

from onefold.model.ids import encode
from onefold.model.reading import Touchpoint
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot
from onefold.store.neo4j.rows import Row, public_of

TOUCHPOINT: Final = (
    "t.number, t.id, t.message_id, t.source, t.at_ms, t.received_ms, t.type, t.name, t.channel, t.campaign, "
    "t.revenue, t.currency, t.subject, t.device, t.identifiers, t.body"
)
BY_NUMBER: Final = gated(
    "UNWIND $p.numbers AS n MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(number) WHERE n <= t.number <= n "
    f"RETURN collect([{TOUCHPOINT}])"
)
BY_ID: Final = gated(
    "UNWIND $p.ids AS id MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(id) WHERE id <= t.id <= id "
    f"RETURN collect([{TOUCHPOINT}])"
)


class Touchpoints(Snapshot):
    """Single touchpoints."""

    __slots__ = ()

    def touchpoints(self, messages: Sequence[bytes]) -> dict[bytes, Touchpoint]:
        """Touchpoints by message hash."""
        if not messages:
            return {}
        ids = sorted({encode("tp", message) for message in messages})
        return {found.message: found for found in self._touchpoints(self._ask(BY_ID, ids=ids))}

    def touchpoints_by_number(self, numbers: Sequence[int]) -> dict[int, Touchpoint]:
        """Touchpoints by their place in the feed."""
        return {found.number: found for found in self._touchpoints(self._of(BY_NUMBER, numbers))}

    def _touchpoints(self, rows: Sequence[Row]) -> list[Touchpoint]:
        sources, message = self._named(row[3] for row in rows), public_of
        return [
            Touchpoint(
                number, message(id_), message_id, sources[source].name, at_ms, received_ms, kind, name, channel,
                campaign, revenue, currency, subject, device, _positive(identifiers), body.encode(),
            )
            for number, id_, message_id, source, at_ms, received_ms, kind, name, channel, campaign, revenue, currency,
            subject, device, identifiers, body in rows
        ]  # fmt: skip


def _positive(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(map(abs, numbers))
