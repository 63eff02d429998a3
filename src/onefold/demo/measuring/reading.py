"""Reads what a store made of a world, beside the truth."""

from array import array
from collections.abc import Iterable, Iterator

from onefold.demo.measuring.seen import Seen, Stitched
from onefold.demo.shop.telling import SOURCES, Truth
from onefold.errors import OnefoldError
from onefold.model.copying import COLUMNS, Row, RowKind
from onefold.model.namespaces import Kind, Namespaces
from onefold.model.sources import Trust
from onefold.store.view import Rows

_PAGE = 5_000
_TELLING = frozenset({Kind.PERSON, Kind.CONTACT})


def stitched_in(rows: Rows, namespaces: Namespaces) -> Stitched:
    """Whose each identifier is."""
    customer, generic, telling = array("q"), set(), set()
    tells = {namespace.name for namespace in namespaces if namespace.kind in _TELLING}
    for row in _all(rows, RowKind.IDENTIFIERS):
        said = dict(zip(COLUMNS[RowKind.IDENTIFIERS], row, strict=True))
        number = said["number"]
        customer.extend([0] * (number + 1 - len(customer)))
        customer[number] = said["customer"]
        if said["namespace"] in tells:
            telling.add(number)
        if said["generic"] <= Trust.PUBLIC:
            generic.add(number)
    return Stitched(customer, generic, telling)


def seen_in(rows: Rows, truths: Iterable[Truth], stitched: Stitched) -> Iterator[Seen]:
    """The touchpoints of a world, in the order in which they were stored.

    `truths`: of the same events, in the order in which they were sent. Raises OnefoldError `call.invalid` where the
    store holds something else.
    """
    message_id, source, subject, identifiers = (
        COLUMNS[RowKind.TOUCHPOINTS].index(name) for name in ("message_id", "source", "subject", "identifiers")
    )
    ours = sources_of(rows)
    told = (truth for truth in truths if not truth.again)
    for row in _all(rows, RowKind.TOUCHPOINTS):
        if row[source] not in ours:
            continue
        truth = next(told, None)
        if truth is None or truth.message_id != row[message_id]:
            raise another_world()
        shown = row[subject] not in stitched.generic
        yield Seen(
            truth.town,
            truth.person,
            truth.household,
            truth.trap,
            stitched.customer[row[subject]] if shown else None,
            tuple(linked for linked in row[identifiers] if linked > 0),  # operators' are negative
        )
    if next(told, None) is not None:
        raise another_world()


def sources_of(rows: Rows) -> set[int]:
    """The numbers of the sources of a world, whichever."""
    names = {source.name for source in SOURCES}
    return {row[0] for row in _all(rows, RowKind.SOURCES) if row[1] in names}


def _all(rows: Rows, kind: RowKind) -> Iterator[Row]:
    after = 0
    while page := rows.rows(kind, after, _PAGE):
        yield from page
        after = page[-1][0]


def another_world() -> OnefoldError:
    """What is raised where a store does not hold the world that it should."""
    return OnefoldError(
        "call.invalid",
        "the store holds another shop than the one asked for, or only a part of it",
        "Name a store of its own with --store, or the people and the seed that it was made with.",
        "store",
    )
