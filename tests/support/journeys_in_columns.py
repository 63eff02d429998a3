"""Tables of the read model in memory, filled by hand."""

from typing import Any, Final

import duckdb
import msgspec

from onefold.readmodel.touchpoints import Parameters
from onefold.schema_files import schema_file
from tests.oracle.summaries import Told

COLUMNS: Final = ("number", "at_ms", "type", "name", "channel", "campaign", "revenue", "currency", "device")


def stored(subject: int, told: Told) -> dict[str, Any]:
    """A row of internal.touchpoints."""
    body = msgspec.json.encode({"properties": told.properties, "context": {}, "traits": {}}).decode()
    unread = {"message": b"m", "message_id": "m", "source": "local", "received_ms": 0}
    return {**{name: getattr(told, name) for name in COLUMNS}, **unread, "subject": subject, "body": body}


def owned(number: int, customer: int) -> dict[str, Any]:
    """A row of internal.identifiers."""
    key = {"public": f"p{number}", "namespace": "device_id", "value": f"d{number}"}
    return {"number": number, "customer": customer, **key, "generic": False, "first_ms": 0, "last_ms": 0}


class Tables:
    """Asked as `onefold.readmodel.model.Asking` is."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(schema_file("readmodel/tables.sql").read_text())

    def rows(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    def fill(self, told: list[tuple[int, Told]]) -> None:
        """Let these be all touchpoints, each with the number of its subject."""
        self.put("touchpoints", [stored(subject, one) for subject, one in told])

    def put(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Let these be all rows of a table."""
        self.connection.execute(f"DELETE FROM internal.{table}")
        if rows:
            parameters = Parameters()
            lines = ", ".join(f"({', '.join(map(parameters.bind, row.values()))})" for row in rows)
            columns = ", ".join(rows[0])
            self.connection.execute(f"INSERT INTO internal.{table} ({columns}) VALUES {lines}", parameters.values)
