"""Reads `graph_schema/namespaces.yaml` and says where it is wrong.

Every mistake is an OnefoldError `namespaces.invalid` whose message begins with the file and the line, and whose field
is the namespace and the key, such as `email.fanout`.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from onefold.errors import OnefoldError
from onefold.model import yaml_file
from onefold.model.namespaces import DEFAULT_FANOUT, Blocked, EventPath, Form, Kind, Namespace, Namespaces, Prefer
from onefold.model.yaml_file import YamlNode, shown, suggestion

CODE: Final = "namespaces.invalid"
WEAKEST: Final = 255
MOST: Final = 1_000_000
STITCHING_KEYS: Final = ("limit", "fanout", "prefer", "distinguishes")
KEYS: Final = ("priority", "kind", *STITCHING_KEYS, "normalise", "from", "blocked")

# What real identifiers look like, with little in common: a pattern that blocks all of one form is a mistake.
ORDINARY: Final = {
    Form.EMAIL: ("ann@example.com", "li.wei+news@post.example.org", "0815_k@q-z.test", "jörg@bücher.example"),
    Form.PHONE: ("+442079460123", "+4915112345678", "+15555550199", "+81312345678"),
    Form.TEXT: ("7", "48213", "ann", "C-1009", "b7e2f1d0-5c3a-4e8b-9a61-2f0d7c84e513", "Zoë K.", "#x_y"),
}

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_EXTERNAL: Final = re.compile(r"context\.externalIds\[type=([^\[\]\s]+)\]")
_STEPS: Final = re.compile(r"(traits|properties|context)((?:\.[^.\[\]\s]+(?: [^.\[\]\s]+)*)+)")


def load(path: Path) -> Namespaces:
    """The namespaces declared in the file at `path`. Raises OnefoldError `namespaces.invalid`."""
    return _namespaces(yaml_file.load(path, CODE))


def parse(text: str, file: str = "namespaces.yaml") -> Namespaces:
    """The namespaces declared in `text`; `file` is its name in messages. Raises OnefoldError `namespaces.invalid`."""
    return _namespaces(yaml_file.parse(text, file, CODE))


def _namespaces(top: YamlNode) -> Namespaces:
    keys = top.mapping(("blocked", "namespaces"))
    blocked = _blocked(keys["blocked"], Form) if "blocked" in keys else Blocked()
    if "namespaces" not in keys:
        raise top.child("namespaces").error("this key is missing", "Declare at least one namespace under it.")
    # Fields are named `email.fanout`, not `namespaces.email.fanout`.
    nodes = {name: replace(node, field=name) for name, node in keys["namespaces"].mapping().items()}
    if not nodes:
        raise keys["namespaces"].error("no namespace is declared")
    namespaces = [_namespace(name, node) for name, node in nodes.items()]
    _check_priorities(namespaces, nodes)
    _check_paths(namespaces, nodes)
    return Namespaces(tuple(namespaces), blocked)


def _namespace(name: str, node: YamlNode) -> Namespace:
    if not _NAME.fullmatch(name):
        raise node.error(
            f'"{shown(name)}" cannot be the name of a namespace',
            "A name is up to 63 lower-case letters, digits and _, and begins with a letter.",
        )
    keys = node.mapping(KEYS)
    for needed in ("priority", "kind"):
        if needed not in keys:
            raise node.child(needed).error("this key is missing", f"Every namespace needs a {needed}.")
    kind = keys["kind"].choice(Kind)
    _check_operator(kind, keys)
    form = keys["normalise"].choice(Form) if "normalise" in keys else Form.TEXT
    return Namespace(
        name=name,
        priority=keys["priority"].whole_number(1, WEAKEST),
        kind=kind,
        limit=keys["limit"].whole_number(1, MOST) if "limit" in keys else None,
        fanout=keys["fanout"].whole_number(0, MOST) if "fanout" in keys else DEFAULT_FANOUT,
        prefer=keys["prefer"].choice(Prefer) if "prefer" in keys else Prefer.OLDEST,
        distinguishes=keys["distinguishes"].flag() if "distinguishes" in keys else False,
        form=form,
        blocked=_blocked(keys["blocked"], [form]) if "blocked" in keys else Blocked(),
        paths=tuple(map(_path, keys["from"].items())) if "from" in keys else (),
    )


def _check_operator(kind: Kind, keys: dict[str, YamlNode]) -> None:
    """An operator never links, so a rule of stitching would say nothing there."""
    useless = next((key for key in STITCHING_KEYS if key in keys), None)
    if kind is Kind.OPERATOR and useless:
        raise keys[useless].error("a namespace of kind operator is never stitched", f"Leave {useless} out.")


def _check_priorities(namespaces: list[Namespace], nodes: dict[str, YamlNode]) -> None:
    """Of two kinds, one is the stronger evidence; the file has to say which."""
    first: dict[int, Namespace] = {}
    for namespace in namespaces:
        other = first.setdefault(namespace.priority, namespace)
        if other.kind is not namespace.kind:
            raise (
                nodes[namespace.name]
                .mapping()["priority"]
                .error(
                    f"{namespace.priority} is also the priority of {other.name}, which is of another kind "
                    f"({other.kind}, not {namespace.kind})",
                    "Give one of them another priority: only namespaces of one kind may share one.",
                )
            )


def _check_paths(namespaces: list[Namespace], nodes: dict[str, YamlNode]) -> None:
    """One value must not become two identifiers that vouch for each other."""
    first: dict[EventPath, YamlNode] = {}
    for namespace in namespaces:
        if not namespace.paths:
            continue
        for path, node in zip(namespace.paths, nodes[namespace.name].mapping()["from"].items(), strict=True):
            other = first.setdefault(path, node)
            if other is not node:
                raise node.error(
                    f"{path} is already used on line {other.line} ({other.field})",
                    "Each place in an event feeds one namespace only.",
                )


def _blocked(node: YamlNode, forms: Iterable[Form]) -> Blocked:
    """The patterns of a list; none of them may block all ordinary values of one of `forms`."""
    patterns = []
    for item in node.items():
        pattern = item.text()
        if _blocks_everything(pattern, forms, item):
            raise item.error(
                f'"{shown(pattern)}" blocks everything',
                "* stands for anything; patterns are not regular expressions. Name what is to be blocked.",
            )
        patterns.append(pattern)
    return Blocked(patterns)


def _blocks_everything(pattern: str, forms: Iterable[Form], item: YamlNode) -> bool:
    try:
        blocked = Blocked([pattern])
    except ValueError as error:
        raise item.error(f'"{shown(pattern)}" cannot be read as a pattern', f"The {error}.") from error
    meant_as_regular_expression = pattern.strip("^$()?") in {".*", ".+"}
    return meant_as_regular_expression or any(all(map(blocked.match, ORDINARY[form])) for form in forms)


def _path(node: YamlNode) -> EventPath:
    text = node.text()
    if text in {"userId", "anonymousId"}:
        return EventPath((text,))
    if found := _EXTERNAL.fullmatch(text):
        return EventPath(("context", "externalIds"), found[1])
    if (found := _STEPS.fullmatch(text)) and not text.startswith("context.externalIds"):
        return EventPath((found[1], *found[2][1:].split(".")))
    raise _path_error(node, text)


def _path_error(node: YamlNode, text: str) -> OnefoldError:
    mistake = f'"{shown(text)}" is no place in an event that can carry an identifier'
    if text == "groupId":
        return node.error(mistake, "A group is a company or a team; its id is never a person's identifier.")
    if text == "previousId":
        return node.error(mistake, "Alias events are understood by themselves; leave this line out.")
    if text.startswith("context.externalIds"):
        return node.error(mistake, "Say which of them: context.externalIds[type=crm_id].")
    places = ("userId", "anonymousId", "traits.…", "properties.…", "context.…", "context.externalIds[type=…]")
    return node.error(mistake, suggestion(text, places))
