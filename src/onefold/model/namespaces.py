"""Namespaces: the kinds of identifier, how strong each is and what it may do. `namespaces_file` reads them."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

DEFAULT_FANOUT: Final = 20


class Kind(StrEnum):
    """What an identifier of a namespace belongs to."""

    PERSON = "person"
    CONTACT = "contact"
    DEVICE = "device"
    HOUSEHOLD = "household"
    OPERATOR = "operator"
    """Whoever served the customer: kept with the touchpoint, never linked, never its subject."""


class Prefer(StrEnum):
    """Which of two equally strong links is taken first: the one seen first, or the one seen last."""

    OLDEST = "oldest"
    NEWEST = "newest"


class Form(StrEnum):
    """How values are brought to one form."""

    EMAIL = "email"
    PHONE = "phone"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class EventPath:
    """Where events carry an identifier.

    Attributes:
        steps: the keys to follow from the event, such as ("context", "device", "id").
        external_type: for `context.externalIds[type=…]`: of the list's items, those of this `type` are meant, and the
            value is their `id`; None for every other path.
    """

    steps: tuple[str, ...]
    external_type: str | None = None

    def __str__(self) -> str:
        """The path as the namespaces file writes it."""
        return ".".join(self.steps) + (f"[type={self.external_type}]" if self.external_type is not None else "")


ANONYMOUS_ID: Final = EventPath(("anonymousId",))


class Blocked:
    """Patterns of values that are no identifier at all; compared without regard to case.

    A pattern is one of: a value (`null`); a value with `*` for any run of characters (`test@*`); characters in brackets
    with a plus (`[0-]+`), for values made of nothing else. Matching takes time linear in the length of the value.
    """

    __slots__ = ("_any", "_values", "_wildcards", "patterns")

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Compile `patterns`. Raises ValueError for brackets that hold something else than plain characters."""
        self.patterns: Final = tuple(dict.fromkeys(patterns))
        expressions = {pattern: _expression(pattern.casefold()) for pattern in self.patterns}
        self._values: Final = {pattern.casefold(): pattern for pattern, found in expressions.items() if found is None}
        self._wildcards: Final = {pattern: found for pattern, found in expressions.items() if found is not None}
        # One pass tells that none matches, which is nearly always the answer; "(?!)" matches nothing.
        self._any: Final = re.compile("|".join(self._wildcards.values()) or "(?!)", re.DOTALL)

    def match(self, value: str) -> str | None:
        """The pattern that blocks `value`, None if none does."""
        folded = value.casefold()
        if folded in self._values:
            return self._values[folded]
        if not self._any.fullmatch(folded):
            return None
        return next(p for p, found in self._wildcards.items() if re.fullmatch(found, folded, re.DOTALL))

    def __or__(self, other: "Blocked") -> "Blocked":
        """What either blocks."""
        return Blocked(self.patterns + other.patterns)

    def __eq__(self, other: object) -> bool:
        """Equal when they were made of the same patterns."""
        return isinstance(other, Blocked) and set(self.patterns) == set(other.patterns)

    def __hash__(self) -> int:
        """By the patterns."""
        return hash(frozenset(self.patterns))

    def __repr__(self) -> str:
        """As it is made."""
        return f"Blocked({self.patterns!r})"


def _expression(pattern: str) -> str | None:
    """The regular expression for `pattern`; None for a plain value, which is found by a look-up."""
    if pattern.startswith("[") and pattern.endswith("]+"):
        characters = pattern[1:-2]
        if not characters or "-" in characters[:-1] or set(characters) & set("[]^\\"):
            raise ValueError("brackets hold plain characters, a - only as the last of them, and none of [ ] ^ \\")
        return f"[{re.escape(characters)}]+"
    if "*" not in pattern:
        return None
    first, *middle, last = (re.escape(part) for part in pattern.split("*"))
    # Each part is taken where it is first found and never tried elsewhere (an atomic group), or many `*` would be slow.
    return first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last


@dataclass(frozen=True, slots=True)
class Namespace:
    """One kind of identifier.

    Attributes:
        name: lower case, as in `email`.
        priority: 1 is the strongest.
        kind: what it belongs to.
        limit: most distinct values one customer may hold; None: any number.
        fanout: most values of one stronger, limited namespace it may be seen with before it counts as generic.
        prefer: which of two equally strong links is taken first.
        distinguishes: two groups that each hold one are joined only by links at least as strong as it.
        form: how its values are normalised.
        blocked: values that are no identifier, besides those blocked in every namespace.
        paths: where events carry it, besides their list `identifiers`.
    """

    name: str
    priority: int
    kind: Kind
    limit: int | None = None
    fanout: int = DEFAULT_FANOUT
    prefer: Prefer = Prefer.OLDEST
    distinguishes: bool = False
    form: Form = Form.TEXT
    blocked: Blocked = field(default_factory=Blocked)
    paths: tuple[EventPath, ...] = ()

    @property
    def links(self) -> bool:
        """Whether its identifiers take part in stitching: all but those of operators do."""
        return self.kind is not Kind.OPERATOR


@dataclass(frozen=True)
class Namespaces:
    """All namespaces of a store, strongest first; by name among those of equal priority.

    Attributes:
        all: the namespaces in that order.
        blocked: values that are no identifier in any namespace.
        by_name: the same namespaces by their names.
    """

    all: tuple[Namespace, ...]
    blocked: Blocked = field(default_factory=Blocked)
    by_name: MappingProxyType[str, Namespace] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort, and look out for two of one name (ValueError)."""
        ordered = tuple(sorted(self.all, key=lambda namespace: (namespace.priority, namespace.name)))
        by_name = {namespace.name: namespace for namespace in ordered}
        if len(by_name) < len(ordered):
            raise ValueError("two namespaces have one name")
        object.__setattr__(self, "all", ordered)
        object.__setattr__(self, "by_name", MappingProxyType(by_name))

    def __getitem__(self, name: str) -> Namespace:
        """The namespace `name`; KeyError if there is none."""
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a namespace `name`."""
        return name in self.by_name

    def __iter__(self) -> Iterator[Namespace]:
        """Strongest first."""
        return iter(self.all)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.all)

    @cached_property
    def limited(self) -> tuple[Namespace, ...]:
        """Those with a limit, strongest first."""
        return tuple(namespace for namespace in self.all if namespace.limit is not None)

    @cached_property
    def devices(self) -> tuple[Namespace, ...]:
        """Those whose identifiers are devices: of kind `device`, but for the one that `anonymousId` is read into, which
        names a cookie or an installation on a device."""
        return tuple(n for n in self.all if n.kind is Kind.DEVICE and ANONYMOUS_ID not in n.paths)

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that change when a rule of stitching does, and only then.

        What comes in (`form`, `blocked`, `paths`) is left out: it decides about events to come, not evidence held.
        """
        rules = sorted((n.name, n.priority, n.limit, n.fanout, n.prefer, n.distinguishes) for n in self.all if n.links)
        return blake2b(json.dumps(rules).encode(), digest_size=16).hexdigest()
