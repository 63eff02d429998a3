"""Where a read model is kept, and how much of the machine it takes."""

from pathlib import Path
from typing import Final, Self

import msgspec

from onefold.model.reading import TouchpointFilter
from onefold.settings import Settings

MINUTE_MS: Final = 60_000
MEMORY: Final = "memory"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a read model is kept, and how much of the machine it takes.

    Attributes:
        folder: of its files, one a process; made if it is not there. None: it lives in memory.
        memory: how much it may take, as DuckDB writes it (`1GB`); what is beyond is spilled to disk.
        threads: how many work on one question; None: as many as there are cores.
        session_ms: after how long without a touchpoint a session has ended. orders: which touchpoints are orders.
    """

    folder: Path | None = None
    memory: str = "1GB"
    threads: int | None = None
    session_ms: int = 30 * MINUTE_MS
    orders: TouchpointFilter = TouchpointFilter(names=("Order Completed",))

    @classmethod
    def chosen(cls, settings: Settings) -> Self:
        """As the settings have it; where they do not say where, in memory."""
        return cls(
            folder=None if settings.read_model in ("", MEMORY) else Path(settings.read_model),
            memory=settings.read_model_memory,
            threads=settings.read_model_threads or None,
            session_ms=settings.session_minutes * MINUTE_MS,
        )
