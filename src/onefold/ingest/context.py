"""What is kept of an event's context, and the channel it came through."""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

JsonObject = dict[str, object]

UNKNOWN_CHANNEL: Final = "unknown"
WEB: Final = "web"
APP: Final = "app"
SERVER: Final = "server"

_CAMPAIGN: Final = frozenset({"name", "source", "medium", "term", "content"})
_DEVICE: Final = frozenset({"type", "manufacturer", "model", "name"})

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4: Final = re.compile(rf"({_OCTET}\.{_OCTET}\.{_OCTET}\.){_OCTET}", re.ASCII)
_LONGEST_ADDRESS: Final = 45

_CHANNELS_OF_SDKS: Final = {"browser": WEB, "mobile": APP}
_CHANNEL_OF_TYPE: Final = {"page": WEB, "screen": APP}
_APP_LIBRARIES: Final = ("ios", "android", "swift", "kotlin", "flutter", "react-native", "xamarin", "unity")
_WEB_LIBRARIES: Final = ("analytics.js", "analytics-next", "browser", "web")


def kept(context: JsonObject, group: object, consents: dict[str, bool]) -> JsonObject:
    """What a touchpoint keeps of its context: campaign, page, device, app, operating system, locale, a shortened
    address, the browser, the group, consents. What does not have the form it should have is left out.

    `group`: `groupId` of the event, a company or a team, never a person. `consents`: what was agreed to, by purpose.
    """
    keeping: JsonObject = {}
    for key, value in context.items():
        keeper = _KEEPERS.get(key)
        if keeper is not None and value:
            said = keeper(value)
            if said:
                keeping[key] = said
    if group is not None and (said := _text_or_number(group)) is not None:
        keeping["groupId"] = said
    if consents:
        keeping["consent"] = consents
    return keeping


def shortened(address: object) -> str | None:
    """An IP address without its last octet, or of IPv6 without the last 80 bits: a network, not a person."""
    if type(address) is not str or len(address) > _LONGEST_ADDRESS:
        return None
    if found := _IPV4.fullmatch(address):
        return f"{found[1]}0"
    return _shortened(address)


@lru_cache(4096)
def _shortened(address: str) -> str | None:
    try:
        full = ip_address(address.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(full, IPv6Address):
        if full.ipv4_mapped is None:
            return str(IPv6Address(int(full) >> 80 << 80))
        full = full.ipv4_mapped
    return str(IPv4Address(int(full) >> 8 << 8))


def channel_of(said: str | None, kind: str, context: JsonObject) -> str:
    """The channel an event came through.

    What it says itself: `channel`, else `context.channel` (`browser` is web, `mobile` app). Otherwise a page is web, a
    screen app, and for the rest the SDK's name tells, then whether it knows of a page or of an app.
    """
    if said and (channel := said.strip()):
        return channel
    named = context.get("channel")
    if type(named) is str and (channel := named.strip()):
        return _CHANNELS_OF_SDKS.get(channel, channel)
    if kind in _CHANNEL_OF_TYPE:
        return _CHANNEL_OF_TYPE[kind]
    library = context.get("library")
    name = library.get("name") if type(library) is dict else library
    if type(name) is str and (by_library := _channel_of_library(name[:100])):
        return by_library
    if context.get("page"):
        return WEB
    return APP if context.get("app") or context.get("device") else UNKNOWN_CHANNEL


@lru_cache(256)
def _channel_of_library(name: str) -> str | None:
    folded = name.lower()
    if any(part in folded for part in _APP_LIBRARIES):
        return APP
    if any(part in folded for part in _WEB_LIBRARIES):
        return WEB
    return SERVER if "analytics" in folded else None


def _object(value: object) -> object:
    return value if type(value) is dict else None


def _only(names: frozenset[str]) -> Callable[[object], object]:
    def keep(value: object) -> object:
        if type(value) is not dict or value.keys() <= names:
            return _object(value)
        return {name: said for name, said in value.items() if name in names}

    return keep


def _text_or_number(value: object) -> str | int | float | None:
    return value if isinstance(value, str | int | float) and value != "" and not isinstance(value, bool) else None


def _text(value: object) -> object:
    return value if type(value) is str else None


_KEEPERS: Final[dict[str, Callable[[object], object]]] = {
    "campaign": _only(_CAMPAIGN),
    "page": _object,
    "device": _only(_DEVICE),
    "app": _object,
    "os": _object,
    "locale": _text,
    "ip": shortened,
    "userAgent": _text,
    "groupId": _text_or_number,
}
