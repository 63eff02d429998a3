"""Rules are asked for so long, and no longer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from onefold.errors import OnefoldError
from onefold.readmodel.model import Asking

MOST_SECONDS: Final = 10.0
"""How long a preview or an explanation may take, besides what the read model takes to catch up."""
CODE: Final = "segment.exhausted"


@contextmanager
def in_time(asking: Asking, most_seconds: float | None = None) -> Iterator[None]:
    """For asking about a rule. Raises `segment.exhausted` when that takes longer, or more memory, than it may."""
    most_seconds = MOST_SECONDS if most_seconds is None else most_seconds
    with asking.bounded(most_seconds) as over:
        try:
            yield
        except duckdb.InterruptException as error:
            if not over.is_set():
                raise
            said = f"the rule takes longer than {most_seconds:g} seconds"
            raise OnefoldError(CODE, said, "Ask for fewer conditions, or for shorter windows.", "rule") from error
        except duckdb.OutOfMemoryException as error:
            hint = "Ask for fewer conditions, or raise the setting read_model_memory."
            raise OnefoldError(CODE, "the rule takes more memory than it may", hint, "rule") from error
