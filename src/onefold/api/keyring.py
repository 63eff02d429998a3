"""The keys that count now. While onefold runs, its settings file is looked at again and again, so that whoever is
revoked stays outside.

Invariant: an onefold that has once asked for a key never again lets anybody in without one, until it is started anew.
"""

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import EllipsisType
from typing import Final

import msgspec

from onefold.errors import OnefoldError
from onefold.keys import Key
from onefold.settings import Settings, load_keys

LOOK_SECONDS: Final = 1.0

_Stamp = tuple[int, int, int, int]

_log: Final = logging.getLogger(__name__)


class Known(msgspec.Struct, frozen=True):
    """Keys as they are at one time.

    Attributes:
        needed: whether a request needs one.
        everywhere: the origins of pages that may use any of them, as browsers name them.
        origins: these, and those of pages that may use one or another, or `*`.
    """

    keys: tuple[Key, ...]
    needed: bool
    everywhere: frozenset[str]
    origins: frozenset[str]


class Keyring:
    """The keys of the settings, and what has become of them since. It may be used from any thread."""

    def __init__(
        self, settings: Settings, file: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`file`: where they are declared, be it there or not; None: they stay as they are. `clock`: in seconds."""
        self._file: Final = file
        self._clock: Final = clock
        self._everywhere: Final = _as_browsers_name_them(settings.allowed_origins)
        self._known = self._made(settings.keys, needed=bool(settings.keys))
        self._stamp: _Stamp | EllipsisType | None = ...  # not looked at yet: it may have changed since it was read
        self._again = 0.0

    def known(self) -> Known:
        """The keys as they were less than a second ago."""
        if self._file is not None and (now := self._clock()) >= self._again:
            self._again = now + LOOK_SECONDS
            self._look(self._file)
        return self._known

    def _look(self, file: Path) -> None:
        stamp = _stamp(file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        if stamp is None and not self._known.keys:
            return
        try:
            keys = load_keys(file, {})
        except OnefoldError as error:
            _log.warning("%s; the keys stay what they were", error)
            return
        if keys != self._known.keys:
            self._known = self._made(keys, needed=bool(keys) or self._known.needed)
            names = ", ".join(key.name for key in keys) or "none, and nobody gets in until onefold is started anew"
            _log.warning("the keys in %s have changed: there are now %s", file, names)

    def _made(self, keys: tuple[Key, ...], *, needed: bool) -> Known:
        named = _as_browsers_name_them(origin for key in keys for origin in key.origins)
        return Known(keys, needed, self._everywhere, self._everywhere | named)


def as_browsers_name_it(origin: str) -> str:
    """An origin that somebody wrote down, as it stands in the header Origin."""
    return origin.lower().rstrip("/")


def _as_browsers_name_them(origins: Iterable[str]) -> frozenset[str]:
    return frozenset(map(as_browsers_name_it, origins))


def _stamp(file: Path) -> _Stamp | None:
    """What changes whenever the file does; None when it is not there."""
    try:
        there = file.stat()
    except OSError:
        return None
    return there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns
