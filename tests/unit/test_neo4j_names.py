"""Public ids are made once and found again; what is forgotten is made alike."""

from onefold.ingest.decode import Decoded
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import PublicIds, encode
from onefold.store.neo4j.writing import names
from onefold.store.neo4j.writing.names import Names
from tests.ingest.events import decode, sent


class Counting(PublicIds):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(b"0123456789abcdef")
        self.made: list[IdentifierKey] = []

    def digest(self, key: IdentifierKey) -> bytes:
        self.made.append(key)
        return super().digest(key)


def test_what_is_expected_is_made_once() -> None:
    ids = Counting()
    made = Names(ids)
    items = [decode(sent(messageId=f"m-{number}", userId=f"user-{number % 9}")) for number in range(20)]
    events = [item.event for item in items if isinstance(item, Decoded)]
    keys = [key for event in events for key in event.identifiers]
    made.expect(events)
    assert len(ids.made) == len(set(keys)) == 9
    assert [made.identifier(key) for key in keys] == [encode("idn", PublicIds.digest(ids, key)) for key in keys]
    assert [made.touchpoint(event.message) for event in events] == [encode("tp", event.message) for event in events]
    assert len(ids.made) == 9, "all of them were found"


def test_what_was_forgotten_is_the_same_when_it_is_made_again() -> None:
    made = Names(Counting())
    first = IdentifierKey("email", "ann@example.com")
    before = made.identifier(first)
    for number in range(names.REMEMBERED + 1):
        made.identifier(IdentifierKey("user_id", str(number)))
        made.touchpoint(number.to_bytes(16, "big"))
        assert max(len(made._identifiers), len(made._touchpoints)) <= names.REMEMBERED
    assert first not in made._identifiers
    assert made.identifier(first) == before
    assert made.digest(first) == PublicIds(b"0123456789abcdef").digest(first)
