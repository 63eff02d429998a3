"""How an import goes, in numbers."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Final

import msgspec

from onefold.errors import Problem
from onefold.ingest.commit import Outcome, Status

LINES_NAMED: Final = 5


class ImportReport(msgspec.Struct, frozen=True, rename="camel"):
    """How an import went, or goes.

    Attributes:
        lines: how many were read. accepted, duplicates, rejected, blank: how many of them were that; each is one of it.
        conflicts: how many of the duplicates say something else than the event that was first.
        joins: how often two customers became one by what was accepted.
        warnings: how many there were of each code. warning_lines: the numbers of the first five lines with each code.
        warning_messages: what the first of each code says.
        rejects: the file that holds what was rejected and what conflicts; None when nothing was or did.
        resumed_after: how many of the lines an import that was stopped had done; None when it was begun anew.
        seconds: how long it took, the part of one that was stopped left out.
    """

    lines: int
    accepted: int
    duplicates: int
    rejected: int
    blank: int
    conflicts: int
    joins: int
    warnings: dict[str, int]
    warning_lines: dict[str, list[int]]
    warning_messages: dict[str, str]
    rejects: Path | None
    resumed_after: int | None
    seconds: float

    @property
    def lines_a_second(self) -> int:
        """How fast it went."""
        return round((self.lines - (self.resumed_after or 0)) / self.seconds) if self.seconds else 0


class Progress(msgspec.Struct, frozen=True):
    """How far an import is. `share`: of all there is, 0 to 1; None when nobody knows how much that is."""

    report: ImportReport
    share: float | None


class Tally(msgspec.Struct):
    """Counts what became of lines; its fields are those of the report."""

    lines: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    blank: int = 0
    conflicts: int = 0
    joins: int = 0
    warnings: dict[str, int] = {}
    warning_lines: dict[str, list[int]] = {}
    warning_messages: dict[str, str] = {}

    def count(self, number: int, outcome: Outcome) -> None:
        """One line that was handed in."""
        match outcome.status:
            case Status.ACCEPTED:
                self.accepted += 1
            case Status.DUPLICATE:
                self.duplicates += 1
                self.conflicts += outcome.problem is not None
            case Status.REJECTED:
                self.rejected += 1
        self.joins += outcome.joins
        self._warn(number, outcome.warnings)

    def _warn(self, number: int, warnings: Sequence[Problem]) -> None:
        for warning in warnings:
            self.warnings[warning.code] = self.warnings.get(warning.code, 0) + 1
            self.warning_messages.setdefault(warning.code, warning.message)
            named = self.warning_lines.setdefault(warning.code, [])
            if len(named) < LINES_NAMED and number not in named:
                named.append(number)

    def copy(self) -> "Tally":
        """The same, and counted on apart."""
        return deepcopy(self)

    def report(self, rejects: Path | None, resumed_after: int | None, seconds: float) -> ImportReport:
        """The numbers as they are now."""
        return ImportReport(
            **msgspec.structs.asdict(self.copy()), rejects=rejects, resumed_after=resumed_after, seconds=seconds
        )
