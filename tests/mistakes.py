"""Files with one mistake each, whose first lines say what is expected of whoever reads them:

# line: 11
# field: email.fanout          or none
# says: a part of the message
# hint: a part of the hint     (may be left out)
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from onefold.errors import OnefoldError

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Mistake:
    """One such file."""

    path: Path
    line: int
    field: str | None
    says: str
    hint: str

    def __str__(self) -> str:
        return self.path.stem

    def check(self, load: Callable[[Path], object], code: str) -> None:
        """Assert that `load` refuses the file as it wants to be refused."""
        with pytest.raises(OnefoldError) as caught:
            load(self.path)
        error = caught.value
        assert error.code == code
        assert error.message.startswith(f"{self.path}, line {self.line}: ")
        assert self.says in error.message
        assert error.field == self.field
        assert self.hint in (error.hint or "")


def mistakes(folder: str) -> list[Mistake]:
    """The files in a folder of tests/golden."""
    found = [_mistake(path) for path in sorted((GOLDEN / folder).glob("*.yaml"))]
    assert found, f"{folder} holds no files"
    return found


def _mistake(path: Path) -> Mistake:
    head = (line[2:].partition(": ") for line in path.read_text().splitlines() if line.startswith("# "))
    said = {key: value for key, colon, value in head if colon}
    field = None if said["field"] == "none" else said["field"]
    return Mistake(path, int(said["line"]), field, said["says"], said.get("hint", ""))
