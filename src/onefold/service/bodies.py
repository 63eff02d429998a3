"""What the body of a touchpoint says: its properties, its campaign, the device it came through."""

from collections.abc import Sequence
from typing import Final

import msgspec

from onefold.model.reading import JourneyPage, KnownIdentifier, Touchpoint
from onefold.service.reading import Reading

LOOKED_THROUGH: Final = 200
_EMPTY: Final = msgspec.Raw(b"{}")


class _Body(msgspec.Struct):
    properties: msgspec.Raw = _EMPTY
    context: msgspec.Raw = _EMPTY


class _Context(msgspec.Struct):
    campaign: dict[str, object] = {}
    device: dict[str, object] = {}
    os: dict[str, object] = {}
    app: dict[str, object] = {}


class CampaignProperties(msgspec.Struct, frozen=True):
    """The campaign a touchpoint came from, as the UTM parameters have it."""

    name: str | None = None
    source: str | None = None
    medium: str | None = None
    term: str | None = None
    content: str | None = None


class DeviceProperties(msgspec.Struct, frozen=True):
    """What a touchpoint says of the device it came through. `os`, `app`: name and version."""

    type: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    os: str | None = None
    app: str | None = None


_BODY: Final = msgspec.json.Decoder(_Body)
_CONTEXT: Final = msgspec.json.Decoder(_Context)
UNKNOWN: Final = DeviceProperties()


def properties_json(touchpoint: Touchpoint) -> str:
    """Its properties: a JSON object as text."""
    return bytes(_BODY.decode(touchpoint.body).properties).decode()


def context_json(touchpoint: Touchpoint) -> str:
    """What is kept of its context: a JSON object as text."""
    return bytes(_BODY.decode(touchpoint.body).context).decode()


def campaign(touchpoint: Touchpoint) -> CampaignProperties | None:
    """The campaign it came from, None for none."""
    said = _context(touchpoint).campaign
    if not said:
        return None
    return CampaignProperties(
        name=_text(said.get("name")),
        source=_text(said.get("source")),
        medium=_text(said.get("medium")),
        term=_text(said.get("term")),
        content=_text(said.get("content")),
    )


def device(touchpoint: Touchpoint) -> DeviceProperties:
    """What it says of the device it came through."""
    context = _context(touchpoint)
    return DeviceProperties(
        type=_text(context.device.get("type")),
        manufacturer=_text(context.device.get("manufacturer")),
        model=_text(context.device.get("model")),
        os=_versioned(context.os),
        app=_versioned(context.app),
    )


def devices(reading: Reading, identifiers: Sequence[KnownIdentifier]) -> list[DeviceProperties]:
    """What was last said of each device, among the last 200 touchpoints of its customer."""
    customers = list({identifier.customer for identifier in identifiers})
    last: dict[int, Touchpoint] = {}
    for touchpoints in reading.view.journeys(customers, JourneyPage(LOOKED_THROUGH)).values():
        for touchpoint in touchpoints:
            if touchpoint.device is not None:
                last.setdefault(touchpoint.device, touchpoint)
    return [device(last[i.number]) if i.number in last else UNKNOWN for i in identifiers]


def _context(touchpoint: Touchpoint) -> _Context:
    return _CONTEXT.decode(_BODY.decode(touchpoint.body).context)


def _versioned(said: dict[str, object]) -> str | None:
    return " ".join(part for name in ("name", "version") if (part := _text(said.get(name)))) or None


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
