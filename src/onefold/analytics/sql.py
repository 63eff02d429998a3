"""SQL that analysts write: asked of the read model if all it does is read the documented views.

A question is taken apart by DuckDB's own parser before it is run, and nothing is let through that is not known to be
harmless. Besides, whatever it says, DuckDB reaches neither files nor the network (`onefold.readmodel`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

import duckdb
import msgspec
import orjson
import pyarrow as pa

from onefold.errors import OnefoldError
from onefold.readmodel.model import Asking

VIEWS: Final = ("customers", "identifiers", "touchpoints", "sessions", "traits", "segments")
"""What may be read; graph_schema/readmodel/views.sql says what each holds."""
MAKERS: Final = ("generate_series", "json_each", "json_tree", "range", "unnest")
"""Functions that may stand where a table stands."""
BARRED: Final = frozenset(
    {"currval", "json_serialize_plan", "nextval", "setseed", "setval", "write_log", "sleep_ms", "pg_sleep"}
)
"""Functions that do something else than to make a value of values."""
RESERVED: Final = re.compile("(sqlite|duckdb|pragma|pg)_", re.IGNORECASE)
"""How the names of DuckDB's own views begin."""
BROKEN_OFF: Final = "INTERRUPT Error"
OUT_OF_MEMORY: Final = "Out of Memory Error"
"""What Arrow passes on of DuckDB's exceptions while rows come are these words of them."""
NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
TABLES: Final = frozenset({"BASE_TABLE", "TABLE_FUNCTION", "EMPTY", "EXPRESSION_LIST", "SUBQUERY", "JOIN", "PIVOT"})
SHOWN: Final = frozenset({"DESCRIBE", "SUMMARY"})
SHOWS: Final = re.compile(r"\s*(DESCRIBE|SUMMARIZE|SHOW|DESC)\b", re.IGNORECASE)
LONGEST: Final = 100_000

Node = dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """What a question finds, in columns, many rows at a time. json: places of columns that hold JSON, as text."""

    rows: pa.RecordBatchReader
    json: frozenset[int]


@contextmanager
def ask(asking: Asking, text: str, most_seconds: float) -> Iterator[Answer]:
    """What a question finds, to be read inside the block.

    Raises: OnefoldError `sql.invalid` for what is no question, or none to the views alone; `sql.exhausted` for what
        takes longer, or more memory, than it may.
    """
    check(asking, text)
    with _understood(most_seconds), asking.bounded(most_seconds):
        rows = asking.rows(f"DESCRIBE {text}") if not SHOWS.match(text) else []
        json = frozenset(place for place, row in enumerate(rows) if row[1] == "JSON")
        told = asking.batches(text)
        yield Answer(pa.RecordBatchReader.from_batches(told.schema, _batches(told, most_seconds)), json)


def _batches(rows: pa.RecordBatchReader, most_seconds: float) -> Iterator[pa.RecordBatch]:
    """All batches. What DuckDB meets while it makes them is an OSError, as Arrow has it."""
    while True:
        try:
            batch = rows.read_next_batch()
        except StopIteration:
            return
        except OSError as error:
            raise _broken(str(error), most_seconds) from error
        yield batch


def check(asking: Asking, text: str) -> None:
    """Raise `sql.invalid` unless the text is one question to the views."""
    if len(text) > LONGEST:
        raise _invalid(f"the question is longer than {LONGEST:,} characters")
    with _understood(0):
        ((told,),) = asking.rows("SELECT json_serialize_sql($text::VARCHAR)", {"text": text})
    try:
        said: Node = orjson.loads(told)
    except orjson.JSONDecodeError as error:
        raise _invalid("the question nests too deeply") from error
    if said["error"]:
        raise _misread(said)
    if len(said["statements"]) != 1:
        raise _invalid(f"there are {len(said['statements'])} questions", "Ask one question, which begins with SELECT.")
    parts = list(_parts(said["statements"]))
    named = {part["key"].lower() for part in parts if isinstance(part.get("key"), str) and "value" in part}
    for part in parts:
        _check(part, named)


def _parts(tree: object) -> Iterator[Node]:
    """Every object of a tree."""
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case dict() as node:
                yield node
                waiting.extend(node.values())
            case list() as nodes:
                waiting.extend(nodes)


def _check(part: Node, named: set[str]) -> None:
    """Raise unless this part of a question is harmless. `named`: what the question itself calls a table (WITH)."""
    kind = part.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in NODES:
        raise _invalid("this does something else than to ask", "Ask with SELECT.")
    if part.get("class") == "FUNCTION" and part["function_name"].lower() in BARRED:
        raise _invalid(f"{part['function_name']} does something else than to make a value of values")
    if "sample" in part and "alias" in part:
        _check_table(part, named)


def _check_table(part: Node, named: set[str]) -> None:
    """The same of what stands where a table stands."""
    match part["type"]:
        case "BASE_TABLE":
            _check_name(part, named)
        case "TABLE_FUNCTION":
            name = part["function"].get("function_name", "")
            if name not in MAKERS:
                raise _invalid(f"{name}() is no table that may be read", f"Functions that may: {', '.join(MAKERS)}.")
        case "SHOW_REF":
            if part["show_type"] not in SHOWN or part["query"] is None:
                raise _invalid("this is no question to a view", f"DESCRIBE one of these: {', '.join(VIEWS)}.")
        case kind if kind not in TABLES:
            raise _invalid(f"{kind} is no table that may be read")


def _check_name(part: Node, named: set[str]) -> None:
    path = [name for name in (part["catalog_name"], part["schema_name"], part["table_name"]) if name]
    name = path[-1]
    if path[:-1] in ([], ["main"]) and name.lower() in VIEWS:
        return
    if path == [name] and name.lower() in named and not RESERVED.match(name):
        return
    near = get_close_matches(name.lower(), VIEWS, n=1)
    hint = (f"Did you mean {near[0]}? " if near else "") + f"There are {', '.join(VIEWS)}."
    raise _invalid(f"there is no view {'.'.join(path)!r}", hint)


def _misread(said: Node) -> OnefoldError:
    """What the parser has against a text."""
    if said["error_type"] == "parser":
        return _invalid(_first_line(said["error_message"]), None)
    return _invalid("this is no question", "Ask with SELECT: nothing can be changed or set here.")


@contextmanager
def _understood(most_seconds: float) -> Iterator[None]:
    """What DuckDB says against a question, as onefold says it."""
    try:
        yield
    except duckdb.Error as error:
        raise _broken(str(error), most_seconds) from error


def _broken(message: str, most_seconds: float) -> OnefoldError:
    """What DuckDB says, as onefold says it."""
    if message.startswith(BROKEN_OFF):
        said = f"the question took longer than {most_seconds:g} seconds"
        return OnefoldError("sql.exhausted", said, "Ask for less, or give it longer with --seconds.", "sql")
    if message.startswith(OUT_OF_MEMORY):
        hint = "Ask for less, or raise the setting read_model_memory."
        return OnefoldError("sql.exhausted", "the question takes more memory than it may", hint, "sql")
    return _invalid(_first_line(message), _hint(message))


def _first_line(message: str) -> str:
    """`Binder Error: Referenced column …` → `referenced column …`."""
    line = message.partition("\n")[0].strip().rstrip(".!")
    line = line.partition(" Error: ")[2] or line
    return line[:1].lower() + line[1:]


def _hint(message: str) -> str | None:
    """What DuckDB suggests."""
    for line in message.splitlines()[1:]:
        if line.startswith(("Did you mean", "Candidate")):
            return line.strip()
    return None


def _invalid(mistake: str, hint: str | None = None) -> OnefoldError:
    return OnefoldError("sql.invalid", mistake, hint, "sql")
