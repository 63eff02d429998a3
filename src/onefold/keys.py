"""Keys: who may do what from outside.

Invariant: no secret outlives the reading of what declares it. A key is kept, compared and shown by its hash alone, and
no message repeats a secret.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from onefold.errors import OnefoldError

PREFIX: Final = "ofk_"
ANY_ORIGIN: Final = "*"
SHORTEST_SECRET: Final = 16
"""Hashing is quick, so that it can be done for each request: a secret that can be guessed would be found out."""
LONGEST_SECRET: Final = 512
HASH_PREFIX: Final = "sha256:"

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_NAME: Final = re.compile(r"(?!ofk_)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")
_SECRET: Final = re.compile(r"[!-~]+")
_QUOTED: Final = re.compile(r" '.*?'(?= - at |$)", re.DOTALL)
"""What was written, in a message of msgspec's: it may be a secret at the wrong place."""
_ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#@\s,]+")


class Scope(StrEnum):
    """What a key may be used for. One does not bring another along."""

    TRACK = "track"
    """Send events; what became of them is told, but nothing of anybody."""
    READ = "read"
    """Ask for everything that is known of everybody."""
    STEWARD = "steward"
    """Judge who is who."""
    ADMIN = "admin"
    """See how onefold is set up."""


class KeyTrust(StrEnum):
    """How far what is said with a key is believed."""

    SERVER = "server"
    """It is kept secret."""
    PUBLIC = "public"
    """It sits in a web page or an app: anybody can read it."""


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key as it is kept.

    Attributes:
        name: of what sends with it: the source of its events, the author of its judgements.
        hash: `sha256:` and 64 digits.
        origins: of the web pages that may use it, as `https://shop.example`; `*` for any.

    Raises `settings.invalid`.
    """

    name: str
    hash: str
    trust: KeyTrust
    scopes: tuple[Scope, ...]
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what one field's type cannot say."""
        for wrong, field, message, hint in (
            (not _NAME.fullmatch(self.name), "name", "has a name that cannot be used", _NAME_HINT),
            (not _HASH.fullmatch(self.hash), "hash", "has a hash that is none", _HASH_HINT),
            (not self.scopes, "scopes", "may do nothing", f"Give it scopes: {', '.join(Scope)}."),
            (self._betrays, "scopes", "is public and may do more than track", _PUBLIC_HINT),
            (not all(map(is_origin, self.origins)), "origins", "has an origin that is none", _ORIGIN_HINT),
        ):
            if wrong:
                raise invalid(f"{_shown(self.name)} {message}", hint, field)

    @property
    def _betrays(self) -> bool:
        """Whether what everybody can read lets everybody do what only some may."""
        return self.trust is KeyTrust.PUBLIC and set(self.scopes) != {Scope.TRACK}

    def __repr__(self) -> str:
        """Without its hash."""
        return f"Key({self.name!r}, {self.trust.value}, {'+'.join(self.scopes)})"


class Declared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as settings declare it: with its hash, or with the key itself."""

    name: str
    trust: KeyTrust
    scopes: tuple[Scope, ...]
    hash: str | None = None
    key: str | None = None
    origins: tuple[str, ...] = ()

    def kept(self) -> Key:
        """Without its secret. Raises `settings.invalid`."""
        if (self.hash is None) is (self.key is None):
            raise invalid(f"{_shown(self.name)} needs either hash or key", _HASH_HINT, "hash")
        return Key(
            name=self.name,
            hash=self.hash if self.hash is not None else hash_of(_usable(self.name, self.key or "")),
            trust=self.trust,
            scopes=self.scopes,
            origins=self.origins,
        )


def declared(rows: object, where: str) -> tuple[Key, ...]:
    """The keys that `rows`, a list of tables, declare. `where` it stands is named in errors.

    Raises `settings.invalid`, which names the key by its place and never repeats what was written.
    """
    if not isinstance(rows, list):
        raise invalid(f"{where} is no list of keys", _EXAMPLE_HINT)
    return tuple(_key(row, f"{where}, key {place}") for place, row in enumerate(rows, 1))


def _key(row: object, where: str) -> Key:
    try:
        return msgspec.convert(row, Declared).kept()
    except msgspec.ValidationError as error:
        said = _QUOTED.sub("", str(error))
        raise invalid(f"{where}: {said[:1].lower()}{said[1:]}", _EXAMPLE_HINT) from None


def check_distinct(keys: Iterable[Key]) -> None:
    """Raise `settings.invalid` when two keys have one name or one secret: then nobody could tell who speaks."""
    names: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for key in keys:
        if key.name in names:
            raise invalid(f"two keys have the name {key.name}", "Give each a name of its own.", "name")
        if key.hash in hashes:
            raise invalid(f"{hashes[key.hash]} and {key.name} are one key", "Make one with onefold key new.", "hash")
        names[key.name] = hashes[key.hash] = key.name


def find(keys: Iterable[Key], secret: str) -> Key | None:
    """The key with this secret. It takes the same time whichever it is, and whether there is one."""
    asked = hash_of(secret)
    found = None
    for key in keys:
        if hmac.compare_digest(key.hash, asked):
            found = key
    return found


def new_secret() -> str:
    """A key that nobody guesses: 160 random bits."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(32))


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return HASH_PREFIX + sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def table(key: Key) -> str:
    """The lines that declare a key in a settings file."""
    said: Mapping[str, object] = msgspec.to_builtins(key)
    lines = [f"{name} = {_toml(value)}" for name, value in said.items()]
    return "\n".join(["[[keys]]", *lines, ""])


def _toml(value: object) -> str:
    """A value in TOML. All that stands in a key is plain: names, hashes and origins hold nothing to escape."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"'


def _usable(name: str, secret: str) -> str:
    if SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET and _SECRET.fullmatch(secret):
        return secret
    raise invalid(
        f"{_shown(name)} has a key that is too short, too long, or not of plain characters",
        f"Use {SHORTEST_SECRET} or more letters and digits that nobody can guess, or make one with onefold key new.",
        "key",
    )


def is_origin(text: str) -> bool:
    """Whether a browser would call itself that; or `*`, for any."""
    return text == ANY_ORIGIN or (bool(_ORIGIN.fullmatch(text)) and '"' not in text and "\\" not in text)


def _shown(name: str) -> str:
    """A key by its name; what is no name may be anything, a secret too."""
    return f"the key {name}" if _NAME.fullmatch(name) else "a key"


def invalid(message: str, hint: str, field: str = "keys") -> OnefoldError:
    """The failure of a declaration."""
    return OnefoldError("settings.invalid", message, hint, field)


EXAMPLE: Final = 'keys = [{ name = "shop", hash = "sha256:…", trust = "server", scopes = ["track", "read"] }]'
"""A line of a settings file."""
_EXAMPLE_HINT: Final = f"Write it as {EXAMPLE}; docs/keys.md says what each part means."
_NAME_HINT: Final = "Use letters, digits, dots, hyphens and underscores, at most 64."
_HASH_HINT: Final = "Make the key with onefold key new, which writes its hash."
_PUBLIC_HINT: Final = "Anybody can read it: leave it the scope track alone, or keep it secret and say trust server."
_ORIGIN_HINT: Final = "Write https://shop.example, with scheme and without path, or * for any."
