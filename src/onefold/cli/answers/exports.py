"""Files that other programs read: tables as CSV or Parquet, the graph as GraphML or GEXF.

Tables are written as they come. The formats of graphs are written from the graph as a whole, which has to fit into
memory.
"""

import csv
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from onefold.cli.answers.output import iso
from onefold.errors import OnefoldError
from onefold.service.exporting import HOLDS, Form, Page, Table, columns

NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Write = Callable[[Iterable[Page], Path], None]


def write_csv(pages: Iterable[Page], folder: Path) -> None:
    """A file a table: a line of names, then a line a row. Flags are true and false, times ISO 8601."""
    folder.mkdir()
    with ExitStack() as opened:
        writers: dict[Table, Any] = {}
        for table, rows in pages:
            if table not in writers:
                file = opened.enter_context((folder / f"{table}.csv").open("w", encoding="utf-8", newline=""))
                writers[table] = csv.writer(file)
                writers[table].writerow(columns(table))
            forms = tuple(HOLDS[table].values())
            writers[table].writerows([_text(v, f) for v, f in zip(row, forms, strict=True)] for row in rows)


def _text(value: Any, form: Form) -> Any:
    """A value as CSV and the formats of graphs have it."""
    if value is None:
        return None
    if form is Form.TIME:
        return iso(value)
    return str(bool(value)).lower() if form is Form.FLAG else value


def write_parquet(pages: Iterable[Page], folder: Path) -> None:
    """A file a table, compressed; times are timestamps."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        Form.TEXT: pa.string(),
        Form.NUMBER: pa.int64(),
        Form.FLAG: pa.bool_(),
        Form.TIME: pa.timestamp("ms", tz="UTC"),
    }
    folder.mkdir()
    with ExitStack() as opened:
        writers: dict[Table, Any] = {}
        for table, rows in pages:
            schema = pa.schema([(name, types[form]) for name, form in HOLDS[table].items()])
            if table not in writers:
                writer = parquet.ParquetWriter(folder / f"{table}.parquet", schema, compression="zstd")
                writers[table] = opened.enter_context(writer)
            held = list(zip(*rows, strict=True)) or [()] * len(schema)
            arrays = [pa.array(values, field.type) for values, field in zip(held, schema, strict=True)]
            writers[table].write_table(pa.Table.from_arrays(arrays, schema=schema))


def write_graphml(pages: Iterable[Page], file: Path) -> None:
    """One file of GraphML."""
    import networkx as nx

    nx.write_graphml(_graph(pages), file)


def write_gexf(pages: Iterable[Page], file: Path) -> None:
    """One file of GEXF, as Gephi reads it."""
    import networkx as nx

    nx.write_gexf(_graph(pages), file)


def _graph(pages: Iterable[Page]) -> Any:
    """Customers and identifiers are nodes, HAS and LINKED edges; `kind` tells which, `label` what to show."""
    import networkx as nx

    graph: Any = nx.DiGraph()
    for table, rows in pages:
        for row in rows:
            of = dict(_shown(table, row))
            match table:
                case Table.CUSTOMERS:
                    graph.add_node(of["id"], kind="Customer", label=of["id"], size=of["identifiers"])
                case Table.IDENTIFIERS:
                    label = f"{of['namespace']}:{of['value']}"
                    customer = of.pop("customer", None)
                    graph.add_node(of.pop("id"), kind="Identifier", label=label, **of)
                    if customer is not None:
                        graph.add_edge(customer, row[0], kind="HAS")
                case Table.LINKS:
                    graph.add_edge(of.pop("a"), of.pop("b"), kind="LINKED", **of)
    return graph


def _shown(table: Table, row: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """What there is of a row; of texts, what XML can hold."""
    for (name, form), value in zip(HOLDS[table].items(), row, strict=True):
        if value is not None:
            shown = bool(value) if form is Form.FLAG else _text(value, form)
            yield name, NOT_IN_XML.sub("\ufffd", shown) if isinstance(shown, str) else shown


TABLES: Final[Mapping[str, Write]] = {"csv": write_csv, "parquet": write_parquet}
"""Formats of tables: a folder of files."""
GRAPHS: Final[Mapping[str, Write]] = {"graphml": write_graphml, "gexf": write_gexf}
"""Formats of graphs: one file."""
FORMATS: Final[Mapping[str, Write]] = {**TABLES, **GRAPHS}


@contextmanager
def finished(place: Path) -> Iterator[Path]:
    """Where to write what shall stand at `place` when it is complete, and not before.

    Raises: OnefoldError `call.invalid` if something is there, or it cannot be written.
    """
    beside = place.with_name(f"{place.name}.part")
    for there in (place, beside):
        if there.exists():
            raise OnefoldError("call.invalid", f"{there} is there already", "Name another, or remove it.", "OUT")
    try:
        yield beside
        beside.rename(place)
    except OSError as error:
        raise OnefoldError(
            "call.invalid", f"{place} cannot be written: {error.strerror}", "Name a place that can be.", "OUT"
        ) from error
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        else:
            beside.unlink(missing_ok=True)
