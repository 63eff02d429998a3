"""Finds the identifiers an event carries and brings them to their normal form."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from onefold.errors import Problem
from onefold.ingest.wire import JsonObject, WireEvent
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces import EventPath, Namespace, Namespaces

MOST_IDENTIFIERS: Final = 12
PREFERRED_DEVICE: Final = "device_id"

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

Said = tuple[str, object, str]
"""A namespace, a value as sent, and the field it stands in."""

Ranked = tuple[int, str, IdentifierKey]
"""The place of its namespace, the strongest first; its value; the identifier."""

Pair = tuple[IdentifierKey, IdentifierKey]
KeyMaker = Callable[[str, object], IdentifierKey | Problem]


class Place(NamedTuple):
    """Where an event may carry an identifier: under the key `first`, and from there on under the keys `rest`."""

    first: str
    rest: tuple[str, ...]
    namespace: str
    field: str


class Identifiers(msgspec.Struct, gc=False):
    """The identifiers of one event: those that link, and the rest as in `onefold.model.events.Event`."""

    linked: tuple[IdentifierKey, ...]
    operators: tuple[IdentifierKey, ...]
    device: IdentifierKey | None
    crowded: bool
    alias: Pair | None


class IdentifierReader:
    """Reads identifiers off events, at the places that the namespaces name."""

    def __init__(self, namespaces: Namespaces, key: KeyMaker) -> None:
        """Sort the places by where in the event they begin. `key` makes keys of values, as `Normaliser.key` does."""
        self._namespaces: Final = namespaces
        self._key: Final = key
        self._rank: Final = {namespace.name: rank for rank, namespace in enumerate(namespaces)}
        self._operators: Final = frozenset(rank for rank, n in enumerate(namespaces) if not n.links)
        self._devices: Final = frozenset(self._rank[namespace.name] for namespace in namespaces.devices)
        self._preferred_device: Final = self._rank.get(PREFERRED_DEVICE, -1)
        paths = [(namespace.name, path) for namespace in namespaces for path in namespace.paths]
        self._user: Final = next((name for name, path in paths if path.steps == ("userId",)), None)
        self._anonymous: Final = next((name for name, path in paths if path.steps == ("anonymousId",)), None)
        self._traits: Final = _places("traits", paths)
        self._properties: Final = _places("properties", paths)
        self._context: Final = _places("context", paths)
        self._external: Final = {path.external_type: (name, str(path)) for name, path in paths if path.external_type}
        fields = [str(path) for name, path in paths if namespaces[name].links]
        self._none: Final = Problem(
            "event.no_identifier",
            "the event has no identifier that can be used",
            f"Send at least one of {', '.join([*fields, 'identifiers'])}.",
        )

    def said(self, event: WireEvent, traits: JsonObject, properties: JsonObject, context: JsonObject) -> list[Said]:
        """Every value that the event gives for an identifier, but for `previousId`."""
        said: list[Said] = []
        if event.user_id is not None and self._user is not None:
            said.append((self._user, event.user_id, "userId"))
        if event.anonymous_id is not None and self._anonymous is not None:
            said.append((self._anonymous, event.anonymous_id, "anonymousId"))
        for root, places in ((traits, self._traits), (context, self._context), (properties, self._properties)):
            for first, rest, namespace, field in places if root else ():
                value = root.get(first)
                if value is not None and (not rest or (value := _follow(value, rest)) is not None):
                    said.append((namespace, value, field))
        if "externalIds" in context:
            said.extend(self._external_ids(context["externalIds"]))
        if event.identifiers:
            said.extend((n.namespace, n.value, f"identifiers[{place}]") for place, n in enumerate(event.identifiers))
        return said

    def previous(self, event: WireEvent) -> Said | Problem:
        """What `previousId` of an alias event names: an anonymous id if it is the event's own or has the form of a
        UUID, else a user id."""
        value = event.previous_id
        if value is None or value == "":
            return Problem(
                "event.invalid", "the alias has no previousId", "Send the id that userId takes over from.", "previousId"
            )
        anonymous = value == event.anonymous_id or (isinstance(value, str) and _UUID.fullmatch(value.strip()))
        namespace = self._anonymous if anonymous else self._user
        if namespace is None:
            kind = "anonymousId" if anonymous else "userId"
            return Problem(
                "event.invalid",
                f"previousId is of the kind of {kind}, which no namespace is read from",
                "Declare one in namespaces.yaml.",
                "previousId",
            )
        return namespace, value, "previousId"

    def read(
        self, said: Sequence[Said], previous: Said | None, *, may_judge: bool, warnings: list[Problem]
    ) -> Identifiers | Problem:
        """The identifiers among the values, or why the event cannot be taken. A value that is none is warned of.

        `previous`: of an alias event. Between two user ids that is a judgement if its sender `may_judge`; the previous
        one is then not among the event's identifiers.
        """
        keys = self._keys(said if previous is None else [*said, previous], warnings)
        if isinstance(keys, Problem):
            return keys
        if not keys:
            return self._none
        alias = self._alias(previous, keys) if previous and may_judge else None
        if alias:
            keys = [ranked for ranked in keys if ranked[2] != alias[1]]
        return self._sorted_out(keys, alias)

    def _keys(self, said: Sequence[Said], warnings: list[Problem]) -> list[Ranked] | Problem:
        """The identifiers that the values stand for, strongest first, repeated ones too."""
        if len(said) > MOST_IDENTIFIERS and len({(name, str(value)) for name, value, _ in said}) > MOST_IDENTIFIERS:
            return _too_many(len(said))
        rank = self._rank
        keys: list[Ranked] = []
        for namespace, value, field in said:
            key = self._key(namespace, value)
            if isinstance(key, IdentifierKey):
                keys.append((rank[namespace], key[1], key))
            elif namespace in rank:
                warnings.append(msgspec.structs.replace(key, field=field))
            else:
                return msgspec.structs.replace(key, field=f"{field}.namespace")
        keys.sort()
        return keys

    def _alias(self, previous: Said, keys: list[Ranked]) -> Pair | None:
        """The new and the previous one of two user ids, if these are all that an alias event says of user ids."""
        users = list({key: None for _, _, key in keys if key.namespace == self._user})
        if previous[0] != self._user or len(users) != 2:
            return None
        old = self._key(previous[0], previous[1])
        return (users[1], users[0]) if users[0] == old else (users[0], users[1])

    def _sorted_out(self, keys: Sequence[Ranked], alias: Pair | None) -> Identifiers | Problem:
        """Identifiers, strongest first, by what they are for an event."""
        linked: list[IdentifierKey] = []
        operators: list[IdentifierKey] = []
        device = None
        several = False
        rank_before, value_before = -1, ""
        for rank, value, key in keys:
            if rank == rank_before:
                if value == value_before:
                    continue
                several = True
            rank_before, value_before = rank, value
            if rank in self._operators:
                operators.append(key)
                continue
            linked.append(key)
            if rank in self._devices and (device is None or rank == self._preferred_device != device[0]):
                device = rank, key
        if not linked:
            return self._none
        crowded = several and crowd(self._namespaces, linked) is not None
        return Identifiers(tuple(linked), tuple(operators), device[1] if device else None, crowded, alias)

    def _external_ids(self, external: object) -> Iterable[Said]:
        for item in external if isinstance(external, list) else ():
            if isinstance(item, dict) and item.get("id") is not None and (kind := item.get("type")) in self._external:
                namespace, field = self._external[kind]
                yield namespace, item["id"], field


def crowd(namespaces: Namespaces, keys: Iterable[IdentifierKey]) -> Namespace | None:
    """The strongest namespace of which there are more distinct keys than one customer may hold."""
    counts = Counter(key.namespace for key in keys)
    return next((n for n in namespaces.limited if n.limit is not None and counts[n.name] > n.limit), None)


def ambiguous(namespaces: Namespaces, keys: Iterable[IdentifierKey], kind: str) -> Problem:
    """Why an event of this kind, with more of these identifiers than one customer may hold, cannot be taken."""
    crowded = crowd(namespaces, keys)
    name, limit = (crowded.name, crowded.limit) if crowded else ("", 0)
    return Problem(
        "event.ambiguous",
        f"the event names more values of {name} than the {limit} that one customer may hold",
        "An alias of two user ids is a judgement, and its sender may not judge."
        if kind == "alias"
        else "Send an event for each customer; or judge the values to be the same, and send it again.",
        name,
    )


def _places(root: str, paths: Iterable[tuple[str, EventPath]]) -> tuple[Place, ...]:
    return tuple(
        Place(path.steps[1], path.steps[2:], name, str(path))
        for name, path in paths
        if path.steps[0] == root and path.external_type is None
    )


def _follow(value: object, steps: Iterable[str]) -> object:
    """What stands under the keys `steps` of an object; None where there is none."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _too_many(count: int) -> Problem:
    return Problem(
        "event.too_many_identifiers",
        f"the event names {count} identifiers; it may name {MOST_IDENTIFIERS}",
        "Send only those of the person it is about: a list of people is one event a person.",
        "identifiers",
    )
