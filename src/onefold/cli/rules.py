"""Rules of segments as the command line takes them: in a file, piped in, or as they stand in the call."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.errors import OnefoldError

if TYPE_CHECKING:
    from onefold.model.segments import SegmentRule

INLINE = "--rule"
PIPED = "-"
MOST_BYTES = 1_000_000


def given(file: Path | None, text: str | None) -> "SegmentRule":
    """The rule that was given. Raises `call.invalid` unless there is one way to it, `segment.invalid` for mistakes."""
    from onefold.analytics.segments import rule_file

    if (file is None) == (text is None):
        said = "there is no rule" if file is None else "there are two rules"
        raise OnefoldError("call.invalid", said, "Give a file, or the rule itself with --rule.", "rule")
    if text is not None:
        return rule_file.load(text, INLINE)
    assert file is not None
    return rule_file.load(_read(file), "standard input" if str(file) == PIPED else str(file))


def _read(file: Path) -> str:
    try:
        if str(file) == PIPED:
            return sys.stdin.read(MOST_BYTES)
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES).decode()
    except OSError as error:
        raise OnefoldError("call.invalid", f"{file} cannot be read: {error.strerror}", None, "FILE") from error
    except UnicodeDecodeError as error:
        raise OnefoldError("segment.invalid", f"{file} is not UTF-8", "Save it as UTF-8.", "FILE") from error
