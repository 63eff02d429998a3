"""Adds keys to a settings file that people write by hand, and takes them out. All else in the file stays as it stands.

What is written is read first: unless it says exactly what was meant, the file is left as it is.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Final

from onefold.errors import OnefoldError
from onefold.keys import Key, invalid, table
from onefold.settings import from_toml

HEADER: Final = re.compile(r"\s*\[")
KEY_HEADER: Final = re.compile(r"\s*\[\[\s*keys\s*\]\]\s*(#.*)?$")
OWNER_ALONE: Final = 0o600


def keys_in(path: Path) -> tuple[Key, ...]:
    """The keys of a settings file, none if it is not there. Raises `settings.invalid`."""
    return _keys(from_toml(_text(path), path))


def add(path: Path, key: Key) -> None:
    """Add a key to a settings file, which is made if it is not there. Raises `settings.invalid`, `key.exists`."""
    text = _text(path)
    said = from_toml(text, path)
    before = _keys(said)
    if any(known.name == key.name for known in before):
        raise OnefoldError(
            "key.exists",
            f"there is a key {key.name} in {path}",
            "Choose another name, or revoke that one first with onefold key revoke.",
            "name",
        )
    lines = text.rstrip("\n") + "\n\n" if text.strip() else ""
    _replace(path, lines + table(key), {**said, "keys": (*before, key)})


def remove(path: Path, name: str) -> None:
    """Take a key out of a settings file. Raises `settings.invalid`, `key.not_found`."""
    text = _text(path)
    said = from_toml(text, path)
    before = _keys(said)
    places = [place for place, key in enumerate(before) if key.name == name]
    if not places:
        known = ", ".join(key.name for key in before) or "none"
        raise OnefoldError("key.not_found", f"there is no key {name!r} in {path}", f"There are: {known}.", "name")
    left = tuple(key for key in before if key.name != name)
    wanted = {field: value for field, value in said.items() if field != "keys"} | ({"keys": left} if left else {})
    _replace(path, _without(text, places[0]), wanted)


def _without(text: str, place: int) -> str:
    """The text without its table of keys number `place`. Comments below it belong to what follows."""
    lines = text.splitlines(keepends=True)
    begins = [number for number, line in enumerate(lines) if KEY_HEADER.match(line)]
    if place >= len(begins):
        return text
    begin = begins[place]
    end = next((n for n in range(begin + 1, len(lines)) if HEADER.match(lines[n])), len(lines))
    while lines[end - 1].strip() == "" or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    if end < len(lines) and not lines[end].strip():
        end += 1
    return "".join([*lines[:begin], *lines[end:]])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise invalid(f"{path} cannot be read: {error}", "Name a settings file that is readable.", "config") from error


def _keys(said: dict[str, object]) -> tuple[Key, ...]:
    found = said.get("keys", ())
    return found if isinstance(found, tuple) else ()


def _replace(path: Path, text: str, wanted: dict[str, object]) -> None:
    """Write the text if it says what is `wanted`; all of it or nothing."""
    try:
        right = from_toml(text, path) == wanted
    except OnefoldError:
        right = False
    if not right:
        raise invalid(
            f"the keys in {path} are not written as tables of their own",
            "Write each as [[keys]], or change it by hand.",
        )
    try:
        _write(path.resolve(), text)
    except OSError as error:
        said = f"{path} cannot be written: {error.strerror}"
        raise invalid(said, "Run it as somebody who may write there.", "config") from error


def _write(path: Path, text: str) -> None:
    """Put a file with this text in the place of what is there, with its owner and mode."""
    there = path.stat() if path.exists() else None
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        made = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if there is not None and (there.st_uid, there.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(made, there.st_uid, there.st_gid)
            made.chmod(OWNER_ALONE if there is None else there.st_mode & 0o777)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
