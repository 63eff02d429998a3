"""Columns as Arrow tables, made from what stores answer with. Importing this takes long: import it where it is used."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from onefold.store.columns import COLUMNS, ColumnKind, Form

SEPARATOR: Final = "\x1f"
"""Between the columns of a line: JSON has no control characters."""
TYPES: Final = {
    Form.NUMBER: pa.int64(),
    Form.WORD: pa.dictionary(pa.int32(), pa.string()),
    Form.TEXT: pa.string(),
    Form.PLAIN: pa.string(),
}

_read = msgspec.json.Decoder(str).decode


def of_lines(kind: ColumnKind, lines: bytes) -> pa.Table:
    """The rows that lines of text say: words and texts as JSON, nothing as an empty field, words and texts as null."""
    forms = COLUMNS[kind]
    if not lines:
        return of_columns(kind, [[] for _ in forms])
    table = csv.read_csv(
        pa.BufferReader(lines),
        # One block, for a line must not be longer than a block.
        read_options=csv.ReadOptions(column_names=list(forms), block_size=len(lines) + 1, use_threads=False),
        parse_options=csv.ParseOptions(delimiter=SEPARATOR, quote_char=False, double_quote=False),
        convert_options=csv.ConvertOptions(
            column_types={name: TYPES[form] for name, form in forms.items()},
            null_values=["", "null"],
            strings_can_be_null=True,
        ),
    )
    for place, (name, form) in enumerate(forms.items()):
        if form is Form.WORD:
            table = table.set_column(place, name, _words(table.column(place)))
        elif form is Form.TEXT:
            table = table.set_column(place, name, _texts(table.column(place)))
    return table


def of_columns(kind: ColumnKind, columns: Sequence[Sequence[Any]]) -> pa.Table:
    """The rows of which these are the columns, in their order; flags may be bools."""
    return pa.table(
        {name: _column(form, values) for (name, form), values in zip(COLUMNS[kind].items(), columns, strict=True)}
    )


def _column(form: Form, values: Sequence[Any]) -> pa.Array:
    if form is Form.WORD:
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(map(int, values) if values and isinstance(values[0], bool) else values, TYPES[form])


def _words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each word is read once."""
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices, pa.array(map(_read, chunk.dictionary.to_pylist()), pa.string()))
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, TYPES[Form.WORD])


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Few texts hold what JSON writes otherwise; the others stand between two quotes."""
    if pc.any(pc.match_substring(column, "\\")).as_py():
        return pa.chunked_array([[text if text is None else _read(text) for text in column.to_pylist()]], pa.string())
    return pc.binary_slice(column.cast(pa.binary()), 1, -1).cast(pa.string())
