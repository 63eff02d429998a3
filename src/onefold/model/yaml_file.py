"""A YAML file read so that every mistake in it can be said with its line and its field.

The reader composes nodes and never builds objects from them: values are taken as they are written (`null` in a list of
texts is the text "null"), a key given twice is found, and tags, aliases and deep nesting cannot do harm.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from onefold.errors import OnefoldError

MOST_CHARACTERS: Final = 200_000
DEEPEST: Final = 8
_WHOLE_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLAGS: Final = {"true": True, "yes": True, "false": False, "no": False}

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class YamlNode:
    """A piece of a YAML file that knows where it stands.

    Every reading method raises OnefoldError with the file's code, the line, and the field (`email.fanout`).
    """

    node: yaml.Node
    file: str
    code: str
    line: int
    field: str = ""

    def error(self, mistake: str, hint: str | None = None) -> OnefoldError:
        """The error to raise for a mistake made here; `mistake` is a sentence without a full stop."""
        where = f"{self.file}, line {self.line}: " + (f"{self.field}: " if self.field else "")
        return OnefoldError(self.code, f"{where}{mistake}", hint=hint, field=self.field or None)

    def child(self, key: str) -> "YamlNode":
        """A key that this mapping lacks, as a place to say so."""
        return replace(self, field=f"{self.field}.{key}" if self.field else key)

    @property
    def is_mapping(self) -> bool:
        """Whether keys with values stand here."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether a list stands here."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_quoted(self) -> bool:
        """Whether a text stands here that is written in quotes, or as a block."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.style is not None

    def mapping(self, known: Collection[str] | None = None) -> dict[str, "YamlNode"]:
        """The values by their keys; keys other than `known` are mistakes."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"expected keys with values, found {_found(self.node)}")
        children: dict[str, YamlNode] = {}
        for key_node, value_node in self.node.value:
            key = replace(self, node=key_node, line=_line(key_node)).text()
            child = replace(self.child(key), node=value_node, line=_line(key_node))
            if key in children:
                raise child.error(f"this key stands twice, here and on line {children[key].line}")
            if known is not None and key not in known:
                raise child.error(f'"{shown(key)}" is not a key that is known here', suggestion(key, known))
            children[key] = child
        return children

    def items(self) -> list["YamlNode"]:
        """The items of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(
                f"expected a list, found {_found(self.node)}", "Write each item on a line of its own after -."
            )
        return [
            replace(self, node=item, line=_line(item), field=f"{self.field}[{index}]")
            for index, item in enumerate(self.node.value)
        ]

    def text(self) -> str:
        """A text as it is written, quoted or not."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"expected a text, found {_found(self.node)}")
        text: str = self.node.value
        if not text.isprintable():
            raise self.error("the text holds a line break, a control character or half a character")
        return text

    def whole_number(self, least: int, most: int) -> int:
        """A number from `least` to `most`, in plain decimal digits."""
        text = self.text()
        if not _WHOLE_NUMBER.fullmatch(text):
            raise self.error(f'expected a whole number, found "{shown(text)}"')
        if not least <= int(text) <= most:
            raise self.error(f"{text} is out of range", f"It may be from {least} to {most}.")
        return int(text)

    def flag(self) -> bool:
        """True or false."""
        text = self.text()
        if text.lower() not in _FLAGS:
            raise self.error(f'expected true or false, found "{shown(text)}"')
        return _FLAGS[text.lower()]

    def choice(self, of: type[Choice]) -> Choice:
        """One of the values of an enumeration."""
        text = self.text()
        try:
            return of(text)
        except ValueError:
            raise self.error(f'"{shown(text)}" is unknown', suggestion(text, [str(value) for value in of])) from None


def load(path: Path, code: str) -> YamlNode:
    """The top of the file at `path`. Raises OnefoldError with `code` if it cannot be read or is not YAML."""
    try:
        return parse(path.read_bytes().decode(), str(path), code)
    except OSError as error:
        raise OnefoldError(code, f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise OnefoldError(code, f"{path}, line {line}: this is not UTF-8", hint="Save the file as UTF-8.") from error


def parse(text: str, file: str, code: str) -> YamlNode:
    """The top of a file given as text; `file` is its name in messages. Raises OnefoldError with `code`."""
    if len(text) > MOST_CHARACTERS:
        raise OnefoldError(code, f"{file} is longer than {MOST_CHARACTERS:,} characters")
    try:
        _check_events(text, file, code)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise _syntax_error(error, text, file, code) from error
    if node is None:
        raise OnefoldError(code, f"{file} is empty")
    return YamlNode(node, file, code, _line(node))


def shown(text: str) -> str:
    """A text as messages quote it: at most 60 characters."""
    return text if len(text) <= 60 else text[:59] + "…"


def suggestion(word: str, known: Collection[str]) -> str:
    """A hint for a word that is none of `known`."""
    near = get_close_matches(word.lower(), known, n=1)
    return (f"Did you mean {near[0]}? " if near else "") + f"Known are {', '.join(known)}."


def _check_events(text: str, file: str, code: str) -> None:
    """Look through the file piece by piece, before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        mistake = None
        if depth > DEEPEST:
            mistake = f"more than {DEEPEST} levels of nesting"
        elif isinstance(event, yaml.AliasEvent):
            mistake = f"aliases (*{event.anchor}) are not used here; quote a text that begins with *"
        if mistake:
            raise OnefoldError(code, f"{file}, line {_line_at(event.start_mark)}: {mistake}")


def _syntax_error(error: Exception, text: str, file: str, code: str) -> OnefoldError:
    line, problem = 1, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        line, problem = _line_at(error.problem_mark), error.problem or "this is not YAML"
    elif isinstance(error, yaml.reader.ReaderError):
        line, problem = text[: error.position].count("\n") + 1, "a character that YAML does not allow"
    return OnefoldError(code, f"{file}, line {line}: {problem}", hint="Quote texts that hold : # [ ] { } * or &.")


def _line(node: yaml.Node) -> int:
    return _line_at(node.start_mark)


def _line_at(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 1


def _found(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f'"{shown(node.value)}"' if node.value else "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "keys with values"
