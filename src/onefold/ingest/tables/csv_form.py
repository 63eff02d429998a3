"""How a CSV file is written, as mapping files say it."""

import codecs
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from onefold.model import yaml_file
from onefold.model.yaml_file import YamlNode

TAB: Final = "tab"

_ASCII: Final = bytes(range(32, 127)) + b"\r\n\t"


class Decimal(StrEnum):
    """What parts whole numbers from fractions."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV file is written. `delimiter`: None takes the usual one of the file."""

    delimiter: str | None = None
    encoding: str = "utf-8"
    decimal: Decimal = Decimal.POINT


def csv_form(node: YamlNode) -> CsvForm:
    """What stands under `csv`. Raises OnefoldError for a mistake."""
    keys = node.mapping(("delimiter", "encoding", "decimal"))
    return CsvForm(
        _delimiter(keys["delimiter"]) if "delimiter" in keys else None,
        _encoding(keys["encoding"]) if "encoding" in keys else "utf-8",
        keys["decimal"].choice(Decimal) if "decimal" in keys else Decimal.POINT,
    )


def _delimiter(node: YamlNode) -> str:
    said = node.text()
    if said == TAB:
        return "\t"
    if len(said) != 1 or said in ' "' or said.isalnum():
        raise node.error(f'"{yaml_file.shown(said)}" parts no columns', f"Write one character as in ;, or {TAB}.")
    return said


def _encoding(node: YamlNode) -> str:
    """The name of an encoding that has ASCII's characters at ASCII's places: line ends are sought in bytes."""
    said = node.text()
    try:
        if codecs.lookup(said).name == "utf-8-sig" or _ASCII.decode(said) == _ASCII.decode("ascii"):
            return said
    except (LookupError, UnicodeDecodeError):
        pass
    raise node.error(f'"{yaml_file.shown(said)}" is no encoding that is read here', "Save the file in UTF-8.")
