"""What the texts of a column look like."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Final

from onefold.ingest.tables.cells import NUMBERS
from onefold.ingest.tables.csv_form import Decimal
from onefold.ingest.tables.words import NO, YES

DAY_FIRST: Final = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y")
MONTH_FIRST: Final = ("%m/%d/%Y",)
_CLOCKS: Final = ("", " %H:%M", " %H:%M:%S")
_FORMATS: Final = [f"{day}{clock}" for day in (*DAY_FIRST, *MONTH_FIRST, "%Y/%m/%d") for clock in _CLOCKS]
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PADDED: Final = re.compile(r"[-+]?0\d.*")
_SECONDS: Final = re.compile(r"1?\d{9}")
_MILLISECONDS: Final = re.compile(r"1?\d{12}")


class Looks(Enum):
    """What all the texts of a column may be."""

    ISO = auto()
    EMAIL = auto()
    FLAG = auto()
    NUMBER = auto()
    TEXT = auto()


def looks(texts: Sequence[str], decimal: Decimal) -> Looks:
    """What they are, TEXT if nothing else."""
    if not texts:
        return Looks.TEXT
    if all(map(_EMAIL.fullmatch, texts)):
        return Looks.EMAIL
    if all(text.casefold() in YES | NO for text in texts) and not all(text.isdigit() for text in texts):
        return Looks.FLAG
    if all(NUMBERS[decimal].fullmatch(text) and not _PADDED.fullmatch(text) for text in texts):
        return Looks.NUMBER
    return Looks.ISO if all(map(_is_iso, texts)) else Looks.TEXT


def time_formats(texts: Sequence[str]) -> list[str | None]:
    """Formats in which all of them are times; None stands for ISO 8601. Nothing when they are no times."""
    if not texts:
        return []
    if all(map(_is_iso, texts)):
        return [None]
    for form, counted in (("seconds", _SECONDS), ("milliseconds", _MILLISECONDS)):
        if all(map(counted.fullmatch, texts)):
            return [form]
    return [form for form in _FORMATS if all(map(_reads(form), texts))]


def decimal_of(texts: Sequence[str]) -> Decimal | None:
    """What parts whole numbers from fractions, where the texts tell."""
    fitting = [decimal for decimal in Decimal if texts and all(map(NUMBERS[decimal].fullmatch, texts))]
    return fitting[0] if len(fitting) == 1 else None


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "-" in text


def _reads(form: str) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 (only whether it can be read counts)
        except ValueError:
            return False
        return True

    return reads
