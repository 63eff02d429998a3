"""A read model filled by hand: people as the oracle sees them, as rows of the tables that rules are asked of."""

import json
from collections.abc import Sequence
from typing import Any

import duckdb

from onefold.model.claims import canonical_json
from onefold.model.moments import moment_ms
from onefold.readmodel.database import PLANNING
from onefold.readmodel.model import Asking
from onefold.schema_files import schema_file
from tests.oracle.segments import Person, Touchpoint

TABLES = ("touchpoints", "identifiers", "customers", "consents", "profiles", "claims")


class FilledModel(Asking):
    """A read model over tables in memory. Customer `n` is the nth person, its anchor its first identifier."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1, **PLANNING})
        self.connection.execute(schema_file("readmodel/tables.sql").read_text())
        super().__init__(self.connection)

    def fill(self, people: Sequence[Person]) -> None:
        """In place of all that was there."""
        for table in TABLES:
            self.connection.execute(f"DELETE FROM internal.{table}")
        number = 0
        for customer, person in enumerate(people, 1):
            numbers = range(number + 1, number + 1 + len(person.identifiers))
            number += len(person.identifiers)
            self._insert("customers", [(customer, numbers[0], f"cus_{customer}", 0, 0, False)])
            self._insert(
                "identifiers",
                [(n, str(n), *key, customer, False, 0, 0) for n, key in zip(numbers, person.identifiers, strict=True)],
            )
            self._insert("touchpoints", [touchpoint_row(it, numbers) for it in person.touchpoints])
            self._insert("profiles", [(customer, *claim_row(numbers[-1], *it)) for it in person.traits.items()])
            self._insert("claims", [claim_row(numbers[-1], *it) for it in person.traits.items()])
            self._insert(
                "consents",
                [(numbers[i % len(numbers)], *it, "shop", 0) for i, it in enumerate(person.consents)],
            )

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            places = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
            self.connection.execute(f"INSERT INTO internal.{table} VALUES {places}", [it for row in rows for it in row])


def touchpoint_row(it: Touchpoint, numbers: Sequence[int]) -> tuple[Any, ...]:
    said = {"properties": it.properties, "context": {}, "traits": {}}
    return (
        it.number, it.number.to_bytes(16, "big"), f"m{it.number}", "shop", it.at_ms, it.at_ms, it.type, it.name,
        it.channel, it.campaign, it.revenue, it.currency, numbers[it.number % len(numbers)], None,
        json.dumps(said, ensure_ascii=False, separators=(",", ":")),
    )  # fmt: skip


def claim_row(identifier: int, name: str, value: Any) -> tuple[Any, ...]:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    time_ms = moment_ms(value) if isinstance(value, str) else None
    return identifier, name, "shop", 0, canonical_json(value), number, time_ms, 1, 2, 1
