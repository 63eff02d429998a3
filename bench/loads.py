"""How much stitching reads: identifiers and links in the answers it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from onefold.model.graph import Identifier, Link
from onefold.stitch.needs import Need
from onefold.store.sqlite.writing.transaction import SqliteTransaction


class Loads:
    """Counts by transaction. With one event a commit, by event."""

    def __init__(self) -> None:
        """None yet."""
        self.rows: list[int] = []
        self._last: SqliteTransaction | None = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is asked for inside the block."""
        answered = SqliteTransaction.answer

        def answer(transaction: SqliteTransaction, need: Need) -> Any:
            rows = answered(transaction, need)
            if transaction is not self._last:
                self._last = transaction
                self.rows.append(0)
            self.rows[-1] += sum(isinstance(row, Identifier | Link) for row in rows)
            return rows

        with patch.object(SqliteTransaction, "answer", answer):
            yield

    def texts(self) -> tuple[str, str, str]:
        """Mean, 99th percentile and maximum."""
        ordered = sorted(self.rows)
        mean = sum(ordered) / len(ordered)
        return f"{mean:.1f}", f"{ordered[len(ordered) * 99 // 100]:,}", f"{ordered[-1]:,}"
