"""Who said it, and how far that is to be trusted."""

from enum import IntEnum

import msgspec


class Trust(IntEnum):
    """How far a source is trusted. Lower is stronger, so `min` of several is the best of them."""

    SERVER = 0
    """A secret key or an import: nobody outside the company can speak with it."""
    PUBLIC = 1
    """A key that sits in a browser or an app, where anybody can read it and forge events with it."""


class Source(msgspec.Struct, frozen=True, gc=False):
    """Who said something: the name of the write key or of the import, and its trust."""

    name: str
    trust: Trust
