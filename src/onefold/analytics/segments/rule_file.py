"""Reads the rule of a segment from a file of YAML or JSON, so that every mistake can be said with its line.

The words are those of GraphQL. A value without quotes that is a JSON number, `true`, `false` or `null` is just that;
everything else is text, so `no`, `2026-03-01` and `Order Completed` need no quotes.
"""

import re
from typing import Final

from onefold.analytics.segments import parse
from onefold.analytics.segments.given import CODE
from onefold.errors import OnefoldError
from onefold.model import yaml_file
from onefold.model.segments import SegmentRule
from onefold.model.yaml_file import YamlNode

DEEPEST: Final = 60
"""How many levels of lists and keys a file may have: a rule of ten levels has three for each."""
ROOT: Final = "rule"
LONGEST_NUMBER: Final = 400
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:([eE])[+-]?[0-9]+)?")
WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}

Lines = dict[str, int]
"""The line that each place of a rule stands on."""


def load(text: str, file: str) -> SegmentRule:
    """The rule in `text`; `file` is its name in messages. Raises `segment.invalid` with line and place."""
    top = yaml_file.parse(text, file, CODE, DEEPEST)
    lines: Lines = {}
    value = _value(top, ROOT, lines)
    try:
        return parse.rule(value, ROOT)
    except OnefoldError as error:
        line = _line_of(error.field or ROOT, lines)
        raise OnefoldError(error.code, f"{file}, line {line}: {error.message}", error.hint, error.field) from error


def _value(node: YamlNode, place: str, lines: Lines) -> object:
    """What stands at a place, as decoded JSON; it notes the lines of all within."""
    lines[place] = node.line
    if node.is_mapping:
        return {key: _value(inner, f"{place}.{key}", lines) for key, inner in node.mapping().items()}
    if node.is_list:
        return [_value(item, f"{place}[{index}]", lines) for index, item in enumerate(node.items())]
    text = node.text()
    return text if node.is_quoted else _scalar(text)


def _scalar(text: str) -> object:
    if text in WORDS:
        return WORDS[text]
    found = NUMBER.fullmatch(text)
    if found is None or len(text) > LONGEST_NUMBER:
        return text
    return float(text) if found[1] or found[2] else int(text)


def _line_of(place: str, lines: Lines) -> int:
    """The line of a place, or of what it would stand in."""
    while place not in lines and (cut := max(place.rfind("."), place.rfind("["))) > 0:
        place = place[:cut]
    return lines.get(place, 1)
