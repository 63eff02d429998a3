"""What a read model reads of a store: many rows at once, in columns, the same from every store.

Everything there is comes in pages (`Store.page`), which may be of several states; what changed since the first page was
read then makes one state of them (`View.changed`, `View.columns`).
"""

from array import array
from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnKind(StrEnum):
    """What rows are of."""

    TOUCHPOINTS = "touchpoints"
    SUBJECTS = "subjects"
    """The subjects of touchpoints."""
    IDENTIFIERS = "identifiers"
    CUSTOMERS = "customers"
    CLAIMS = "claims"
    CONSENTS = "consents"


class Form(Enum):
    """What a column holds."""

    NUMBER = auto()
    """64 bits; also flags, 0 or 1."""
    WORD = auto()
    """A text of which there are few different ones: a dictionary in Arrow."""
    TEXT = auto()
    """Any other text."""
    PLAIN = auto()
    """A text without control characters: JSON, digits, letters."""


def _forms(columns: str) -> Mapping[str, Form]:
    """Columns in their order, each as name:form."""
    named = (column.split(":") for column in columns.split())
    return MappingProxyType({name: Form[form.upper()] for name, form in named})


COLUMNS: Final[Mapping[ColumnKind, Mapping[str, Form]]] = MappingProxyType(
    {
        ColumnKind.TOUCHPOINTS: _forms(
            "number:number message:plain message_id:text source:word at_ms:number received_ms:number type:word "
            "name:word channel:word campaign:word revenue:plain currency:word subject:number device:number body:plain"
        ),
        ColumnKind.SUBJECTS: _forms("number:number subject:number"),
        ColumnKind.IDENTIFIERS: _forms(
            "number:number public:plain namespace:word value:text customer:number generic:number "
            "first_ms:number last_ms:number"
        ),
        ColumnKind.CUSTOMERS: _forms("number:number anchor:number"),
        ColumnKind.CLAIMS: _forms(
            "number:number identifier:number trait:word source:word trust:number value:plain "
            "first_ms:number last_ms:number count:number"
        ),
        ColumnKind.CONSENTS: _forms(
            "number:number identifier:number purpose:word given:number at_ms:number source:word trust:number"
        ),
    }
)
"""What a row of each kind holds. The first column is what pages are ordered by: of a customer its key. `message` and
`public` are 32 hexadecimal digits; `source` is a name; `generic` is by all evidence; the rest as in
graph_schema/README.md."""

BY: Final[Mapping[ColumnKind, str]] = MappingProxyType(
    {
        ColumnKind.TOUCHPOINTS: "number",
        ColumnKind.SUBJECTS: "number",
        ColumnKind.IDENTIFIERS: "number",
        ColumnKind.CUSTOMERS: "number",
        ColumnKind.CLAIMS: "identifier",
        ColumnKind.CONSENTS: "identifier",
    }
)
"""The column that `View.columns` finds rows by."""


class Changed(msgspec.Struct, frozen=True):
    """Of what there may be other rows, or rows with other values, than before: numbers, each once, in order.

    Attributes:
        identifiers: identifiers that are new, were seen again, came to another customer, or were decided about.
        customers: keys of customers that identifiers came to or left; some are gone.
        claims_of, consents_of: identifiers of which something was said or agreed to.
        touchpoints: touchpoints that have another subject than they had when they were stored, or had it for a while.
    """

    identifiers: "array[int]"
    customers: "array[int]"
    claims_of: "array[int]"
    consents_of: "array[int]"
    touchpoints: "array[int]"


class Columns(Protocol):
    """The part of a view that a read model reads."""

    def changed(self, after: int) -> Changed:
        """What changed by commits after this sequence number; touchpoints that are new not among it."""

    def page(self, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """The first rows with `after` < number <= `upto`, in order: at most `limit`, fewer where they are large, at
        least one if there is any."""

    def columns(self, kind: ColumnKind, of: "Sequence[int] | array[int]") -> "pa.Table":
        """All rows of these (`BY`), in any order. Of very many numbers, ask portion by portion."""
