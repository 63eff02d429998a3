"""Mappings and rows for tests."""

from collections.abc import Sequence

from onefold.errors import Problem
from onefold.ingest.decode import Decoded, Rejected
from onefold.ingest.tables import mapping
from onefold.ingest.tables.mapping import Mapping
from onefold.ingest.tables.rows import Row, RowDecoder
from onefold.model import yaml_file
from onefold.model.sources import Source, Trust
from tests.ingest.events import decoder, namespaces

CRM = Source("crm", Trust.SERVER)
LEAST = "record: {id: no}\ntimestamp: changed\nidentifiers: {crm_id: no}\n"


def mapping_of(text: str) -> Mapping:
    return mapping.read(yaml_file.parse(text, "crm.yaml", mapping.CODE), text, namespaces())


def row_decoder(text: str, *columns: str) -> RowDecoder:
    return RowDecoder(mapping_of(text), columns, decoder(), CRM)


def event_of(text: str, **cells: object) -> Decoded:
    """The event that a row with these columns is."""
    made = decode(text, **cells)
    assert isinstance(made, Decoded), made
    return made


def decode(text: str, **cells: object) -> Decoded | Rejected:
    return row_decoder(text, *cells)(Row(list(cells.values())))


def codes(problems: Sequence[Problem]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in problems]
