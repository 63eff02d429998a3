"""Where a read model is kept, and how much of the machine it takes."""

from pathlib import Path
from typing import Final

import msgspec

MINUTE_MS: Final = 60_000


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a read model is kept, and how much of the machine it takes.

    Attributes:
        folder: of its files, one a process; made if it is not there. None: it lives in memory.
        memory: how much it may take, as DuckDB writes it (`1GB`); what is beyond is spilled to disk.
        threads: how many work on one question; None: as many as there are cores.
        session_ms: after how long without a touchpoint a session has ended.
    """

    folder: Path | None = None
    memory: str = "1GB"
    threads: int | None = None
    session_ms: int = 30 * MINUTE_MS
