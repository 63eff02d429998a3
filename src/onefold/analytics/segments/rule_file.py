"""Reads the rule of a segment from a text in YAML, of which JSON is a part.

Values are those of JSON: `2026-03-01` and `yes` are texts, as in `is: yes`; only `true`, `false` and `null` are not.
"""

import re
from typing import Any, Final

import msgspec
import yaml

from onefold.analytics.segments import parse
from onefold.errors import OnefoldError
from onefold.model.segments import SegmentRule

CODE: Final = "segment.invalid"
MOST_CHARACTERS: Final = 200_000
DEEPEST: Final = 60
WRAPPED: Final = "rule"
"""A file may hold the rule alone, or under this key."""

_NULL, _FLAG, _WHOLE, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))


class _JsonValues(yaml.SafeLoader):
    """YAML with the plain values of JSON (the core schema of YAML 1.2, less its other bases)."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # yaml reads it from the class

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return int(self.construct_scalar(node))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        return float(self.construct_scalar(node))

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _Mistake("a key is a text", line)
            if key.value in seen:
                raise _Mistake(f"{key.value!r} stands twice, here and on line {seen[key.value]}", line)
            seen[key.value] = line
        return super().construct_mapping(node, deep)


_JsonValues.add_implicit_resolver(_NULL, re.compile(r"(?:null|~|)\Z"), ["n", "~", ""])
_JsonValues.add_implicit_resolver(_FLAG, re.compile(r"(?:true|false)\Z"), ["t", "f"])
_JsonValues.add_implicit_resolver(_WHOLE, re.compile(r"-?(?:0|[1-9][0-9]{0,400})\Z"), list("-0123456789"))
_JsonValues.add_implicit_resolver(
    _FLOAT,
    re.compile(r"-?(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{1,400}(?:[eE][-+]?[0-9]{1,4})?|[eE][-+]?[0-9]{1,4})\Z"),
    list("-0123456789"),
)
_JsonValues.add_constructor(_WHOLE, _JsonValues.construct_yaml_int)
_JsonValues.add_constructor(_FLOAT, _JsonValues.construct_yaml_float)


class _Mistake(Exception):  # noqa: N818  # it never leaves this module
    def __init__(self, mistake: str, line: int) -> None:
        super().__init__(mistake, line)
        self.mistake, self.line = mistake, line


def load(text: str, file: str) -> SegmentRule:
    """The rule that a text holds, alone or under the key `rule`; `file` is its name in messages.

    Raises OnefoldError `segment.invalid` with the line, and where it is YAML with the place in the rule.
    """
    value = _value(text, file)
    if value is None:
        raise OnefoldError(CODE, f"{file} is empty", "docs/segments.md has examples of rules.")
    if isinstance(value, dict) and value.keys() == {WRAPPED}:
        value = value[WRAPPED]
    try:
        return parse.rule(value)
    except OnefoldError as error:
        line = _line_of(error.field or WRAPPED, text)
        raise OnefoldError(CODE, f"{file}, line {line}: {error.message}", error.hint, error.field) from error


def _line_of(place: str, text: str) -> int:
    """The line of a place such as `rule.all[1].trait`, or of what it would stand in."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), 1
    for part in re.findall(r"[^.\[\]]+", place):  # a rule that stands alone has no key `rule`
        for key, value in _within(node):
            if key == part:
                node, line = value, value.start_mark.line + 1
                break
    return line


def _within(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    """What stands right within a piece of YAML, by key or index."""
    if isinstance(node, yaml.MappingNode):
        return [(key.value, value) for key, value in node.value]
    return [(str(index), item) for index, item in enumerate(node.value)] if isinstance(node, yaml.SequenceNode) else []


def _value(text: str, file: str) -> object:
    if len(text) > MOST_CHARACTERS:
        raise OnefoldError(CODE, f"{file} is longer than {MOST_CHARACTERS:,} characters")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass  # whatever else it is, YAML says what is wrong with it
    try:
        _check_events(text)
        value: object = yaml.load(text, Loader=_JsonValues)  # noqa: S506  # it makes plain values only
    except _Mistake as found:
        raise OnefoldError(CODE, f"{file}, line {found.line}: {found.mistake}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise OnefoldError(
            CODE, f"{file}, line {line}: {error.problem}", "Quote texts that hold : # [ ] { } * or &."
        ) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise OnefoldError(CODE, f"{file} cannot be read as YAML: {str(error).splitlines()[0]}") from error
    return value


def _check_events(text: str) -> None:
    """Look through the text piece by piece, before anything is built of it: aliases could grow without end."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise _Mistake(f"aliases (*{event.anchor}) are not used here; quote a text that begins with *", line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _Mistake(f"more than {DEEPEST} levels of nesting", line)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _Mistake(f"tags ({tag}) are not used here", line)
