"""Reads `graph_schema/computed.yaml`, and says of every mistake on which line it stands."""

import re
from collections.abc import Collection
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from onefold.model import yaml_file
from onefold.model.computed import PREFIX, Column, ComputedTrait, ComputedTraits, Kind, Property
from onefold.model.events import EVENT_TYPES
from onefold.model.moments import moment_ms
from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.model.yaml_file import YamlNode, shown, suggestion

CODE: Final = "computed.invalid"
KEYS: Final = ("kind", "of", "touchpoints", "currency", "description")
LISTS: Final = ("types", "names", "channels", "campaigns")
FILTER_KEYS: Final = (*LISTS, "properties", "after", "before")
ORDERS: Final = "orders"
"""The trait that says what an order is: it has to be declared."""
MOST_TRAITS: Final = 200
MOST_CHOICES: Final = 100
OWN_PROPERTY: Final = "properties."

MONEY: Final = frozenset({Kind.SUM, Kind.AVERAGE})
IN_A_CURRENCY: Final = (Column.REVENUE.value, "properties.total")
WORDS: Final = frozenset({Kind.DISTINCT, Kind.FIRST, Kind.LAST})
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")


def load(path: Path) -> ComputedTraits:
    """The computed traits that the file at `path` declares. Raises OnefoldError `computed.invalid`, with the line."""
    return _traits(yaml_file.load(path, CODE))


def parse(text: str, file: str = "computed.yaml") -> ComputedTraits:
    """Those declared in `text`; `file` is its name in messages. Raises OnefoldError `computed.invalid`."""
    return _traits(yaml_file.parse(text, file, CODE))


def _traits(top: YamlNode) -> ComputedTraits:
    keys = top.mapping(("computed",))
    if "computed" not in keys:
        raise top.child("computed").error("this key is missing", "Write the traits below computed:.")
    declared = keys["computed"].mapping()
    if len(declared) > MOST_TRAITS:
        raise keys["computed"].error(f"there are {len(declared)} traits; there may be {MOST_TRAITS}")
    traits = {name: _trait(name, node) for name, node in declared.items()}
    if ORDERS not in traits:
        raise (
            keys["computed"]
            .child(ORDERS)
            .error("this trait is missing", "Summaries go by it: say what an order is, with kind: count.")
        )
    if traits[ORDERS].kind is not Kind.COUNT:
        raise declared[ORDERS].error("orders are counted", "Write kind: count, and give another sum another name.")
    return MappingProxyType(traits)


def _trait(name: str, node: YamlNode) -> ComputedTrait:
    if name.startswith(PREFIX):
        raise node.error(f"names stand here without {PREFIX}", f"Write {name.removeprefix(PREFIX)}.")
    if not NAME.fullmatch(name):
        raise node.error(
            f'"{shown(name)}" cannot be the name of a computed trait',
            "Use small letters, digits and _, at most 60, the first a letter.",
        )
    keys = node.mapping(KEYS)
    for key in ("kind", "description"):
        if key not in keys:
            raise node.child(key).error("this key is missing")
    kind = keys["kind"].choice(Kind)
    return ComputedTrait(
        name=name,
        kind=kind,
        of=_of(kind, node, keys.get("of")),
        currency=_currency(kind, keys),
        touchpoints=_touchpoints(kind, keys["touchpoints"]) if "touchpoints" in keys else TouchpointFilter(),
        description=_description(keys["description"]),
    )


def _description(node: YamlNode) -> str:
    text = node.text().strip()
    if not text:
        raise node.error("the description is empty", "Say in a sentence what the trait means.")
    return text


def _of(kind: Kind, trait: YamlNode, node: YamlNode | None) -> Column | Property | None:
    if kind not in MONEY | WORDS:
        if node is not None:
            raise node.error(f"{kind} is of touchpoints as a whole", "Leave `of` out.")
        return None
    known = (Column.REVENUE,) if kind in MONEY else (Column.CHANNEL, Column.CAMPAIGN, Column.NAME)
    choices = f"Write {', '.join(known)} or {OWN_PROPERTY}NAME."
    if node is None:
        raise trait.child("of").error("this key is missing", choices)
    text = node.text()
    if text.startswith(OWN_PROPERTY) and text != OWN_PROPERTY:
        return Property(text.removeprefix(OWN_PROPERTY))
    if text not in known:
        raise node.error(f'{kind} of "{shown(text)}" is unknown', choices)
    return Column(text)


def _currency(kind: Kind, keys: dict[str, YamlNode]) -> str | None:
    node = keys.get("currency")
    if node is None:
        return None
    if kind not in MONEY or keys["of"].text() not in IN_A_CURRENCY:
        choices = " or of: ".join(IN_A_CURRENCY)
        raise node.error("only revenue and totals have a currency", f"Leave `currency` out, or write of: {choices}.")
    text = node.text()
    if not CURRENCY.fullmatch(text):
        raise node.error(f'"{shown(text)}" is not a currency', "Write the three capital letters of ISO 4217, as EUR.")
    return text


def _touchpoints(kind: Kind, node: YamlNode) -> TouchpointFilter:
    if kind is Kind.SESSIONS:
        raise node.error("sessions are made of all touchpoints", "Leave `touchpoints` out.")
    keys = node.mapping(FILTER_KEYS)
    for type_ in keys["types"].items() if "types" in keys else ():
        if type_.text() not in EVENT_TYPES:
            raise type_.error(f'"{shown(type_.text())}" is no type of event', suggestion(type_.text(), EVENT_TYPES))
    wanted = TouchpointFilter(
        **{key: _texts(keys[key]) for key in LISTS if key in keys},
        properties=_properties(keys["properties"]) if "properties" in keys else (),
        after_ms=_moment(keys["after"]) if "after" in keys else None,
        before_ms=_moment(keys["before"]) if "before" in keys else None,
    )
    if wanted.after_ms is not None and wanted.before_ms is not None and wanted.after_ms >= wanted.before_ms:
        raise keys["before"].error("nothing is after `after` and before this", "Write a later moment.")
    return wanted


def _texts(node: YamlNode) -> tuple[str, ...]:
    texts = tuple(item.text() for item in node.items())
    _check_choices(node, texts)
    return texts


def _properties(node: YamlNode) -> tuple[PropertyMatch, ...]:
    matches = tuple(PropertyMatch(name, _value(value)) for name, value in node.mapping().items())
    _check_choices(node, matches)
    return matches


def _check_choices(node: YamlNode, given: Collection[object]) -> None:
    if not given:
        raise node.error("nothing is listed", "Leave the key out to let everything count.")
    if len(given) > MOST_CHOICES:
        raise node.error(f"{len(given)} are listed; there may be {MOST_CHOICES}")


def _value(node: YamlNode) -> str | int | float | bool | None:
    """A number, true, false and null as JSON writes them; everything else, and all that is quoted, as a text."""
    text = node.text()
    if node.is_quoted:
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def _moment(node: YamlNode) -> int:
    at_ms = moment_ms(node.text())
    if at_ms is None:
        raise node.error(f'"{shown(node.text())}" is not a moment', "Write it in ISO 8601, as 2026-03-01T09:30:00Z.")
    return at_ms
