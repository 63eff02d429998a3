"""What whoever runs onefold may choose: one frozen value, from a TOML file and from `ONEFOLD_…` variables.

A variable wins over the file, and what the command line says wins over both. docs/settings.md describes each setting.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from phonenumbers import SUPPORTED_REGIONS

from onefold import keys as keys_
from onefold.errors import OnefoldError
from onefold.keys import Key
from onefold.schema_files import schema_folder

DEFAULT_CONFIG: Final = Path("onefold.toml")
VARIABLE_PREFIX: Final = "ONEFOLD_"

HOST: Final = re.compile(r"[^\s/:@\[\]]+|\[[0-9A-Fa-f:.]+\]")
"""A name or an address, as a request has it in its Host header, without a port."""

AtLeastOne = Annotated[int, Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting with its default. Relative paths are taken from the working directory.

    Raises `settings.invalid` when settings contradict each other, or one cannot be used.
    """

    store: str = "sqlite:///onefold.db"
    namespaces: Path = msgspec.field(default_factory=lambda: schema_folder() / "namespaces.yaml")
    traits: Path = msgspec.field(default_factory=lambda: schema_folder() / "traits.yaml")
    computed: Path = msgspec.field(default_factory=lambda: schema_folder() / "computed.yaml")
    rates: Path = msgspec.field(default_factory=lambda: schema_folder() / "rates.yaml")
    session_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 30
    default_region: str = "US"

    read_model: str = ""
    read_model_memory: Annotated[str, Meta(pattern=r"^[1-9][0-9]*(\.[0-9]+)? ?[KMGT]i?B$")] = "1GB"
    read_model_threads: Annotated[int, Meta(ge=0, le=1_024)] = 0

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8470
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()

    max_body_bytes: AtLeastOne = 4_000_000
    max_batch_bytes: AtLeastOne = 512_000
    max_event_bytes: AtLeastOne = 32_768
    max_events_per_batch: AtLeastOne = 5_000
    queue_size: AtLeastOne = 10_000
    batch_size: AtLeastOne = 1_000

    max_query_depth: AtLeastOne = 12
    max_query_tokens: AtLeastOne = 2_000
    max_query_aliases: Annotated[int, Meta(ge=0)] = 30
    max_page_size: AtLeastOne = 500
    max_sockets: AtLeastOne = 1_000
    max_subscriptions: AtLeastOne = 50

    def __post_init__(self) -> None:
        """Check what one field's type cannot say."""
        _check_region(self.default_region)
        keys_.check_distinct(self.keys)
        _check_listening(self.host, self.keys)
        if keys_.ANY_ORIGIN in self.allowed_origins:
            raise _invalid(
                "allowed_origins",
                "allowed_origins holds *, which would let every web page ask for everything",
                "Name the origins of your pages; a key may have the origin *.",
            )
        for origin in self.allowed_origins:
            if not keys_.is_origin(origin.lower().removesuffix("/")):
                hint = "Write them as a browser does: https://shop.example, with a port where there is one."
                raise _invalid("allowed_origins", f"{origin!r} in allowed_origins is no origin", hint)
        for host in self.allowed_hosts:
            if not HOST.fullmatch(host):
                hint = "Write names alone, as shop.example: without http:// and without a port."
                raise _invalid("allowed_hosts", f"{host!r} in allowed_hosts is no name of a host", hint)
        for name in ("max_events_per_batch", "batch_size"):
            if getattr(self, name) > self.queue_size:
                raise _invalid(
                    name,
                    f"{name} is {getattr(self, name)}, more than the queue_size of {self.queue_size}",
                    f"Raise queue_size or lower {name}.",
                )
        if self.max_event_bytes > self.max_body_bytes:
            raise _invalid(
                "max_event_bytes",
                f"max_event_bytes is {self.max_event_bytes}, more than the max_body_bytes of {self.max_body_bytes}",
                "Raise max_body_bytes or lower max_event_bytes.",
            )


def load_settings(
    config: Path | None = None,
    variables: Mapping[str, str] = os.environ,
    chosen: Mapping[str, object] | None = None,
) -> Settings:
    """Bring the file, the variables and what was chosen on the command line (field → value) to one value.

    The file is `config`, else the one ONEFOLD_CONFIG names, else onefold.toml if there is one here. Raises
    `settings.invalid`, naming the file or variable at fault.
    """
    values = _from_file(settings_file(config, variables))
    values.update(_from_variables(variables))
    for name, value in (chosen or {}).items():
        values[name] = _convert(name, value, f"--{name.replace('_', '-')}", strict=True)
    return Settings(**values)  # type: ignore[arg-type]  # each was converted to its field's type


def load_keys(config: Path | None = None, variables: Mapping[str, str] = os.environ) -> tuple[Key, ...]:
    """The keys alone, whatever the other settings make of them. Raises `settings.invalid`."""
    values = _from_file(settings_file(config, variables)) | _from_variables(variables)
    return Settings(keys=values.get("keys", ())).keys  # type: ignore[arg-type]  # it was converted


def keys_file(config: Path | None, variables: Mapping[str, str] = os.environ) -> Path | None:
    """The settings file whose keys count, be it there or not; None when a variable has the keys, which wins over all of
    them."""
    if variable_of("keys") in variables:
        return None
    return settings_file(config, variables) or DEFAULT_CONFIG


def settings_file(config: Path | None, variables: Mapping[str, str] = os.environ) -> Path | None:
    """The file that counts, None for none: `config`, else the one ONEFOLD_CONFIG names, else onefold.toml if there is
    one here."""
    if config is not None:
        return config
    if named := variables.get(variable_of("config")):
        return Path(named)
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def _from_file(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise _invalid(
            "config", f"{path} cannot be read: {error.strerror}", "Name a settings file that exists and is readable."
        ) from error
    except UnicodeDecodeError as error:
        raise _not_toml(path, error) from error
    return from_toml(text, path)


def from_toml(text: str, path: Path) -> dict[str, object]:
    """What the text of a settings file sets (field → value). Raises `settings.invalid`, which names `path`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, error) from error
    for name in table:
        if name not in _FIELDS:
            raise _invalid(name, f"{path} sets {name}, which is not a setting", _nearest(name, str))
    return {name: _convert(name, value, f"{name} in {path}", strict=True) for name, value in table.items()}


def _not_toml(path: Path, error: ValueError) -> OnefoldError:
    return _invalid("config", f"{path} is not TOML: {error}", "Mend the file; docs/settings.md has an example.")


def _from_variables(variables: Mapping[str, str]) -> dict[str, object]:
    """Other programs may own variables of our prefix, so an unknown one is an error only if it looks like a slip."""
    values: dict[str, object] = {}
    for variable, text in variables.items():
        if not variable.startswith(VARIABLE_PREFIX):
            continue
        name = variable.removeprefix(VARIABLE_PREFIX).lower()
        if name in _FIELDS:
            values[name] = _convert(name, _parts(name, text), variable, strict=False)
        elif _slip_of(name):
            raise _invalid(name, f"{variable} is not a setting", _nearest(name, variable_of))
    return values


def variable_of(name: str) -> str:
    """The environment variable that sets the field `name`."""
    return VARIABLE_PREFIX + name.upper()


def _parts(name: str, text: str) -> object:
    """A variable is one text; where a list is wanted, commas part it; keys are written in JSON."""
    if name == "keys":
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
    if _FIELDS[name].type != tuple[str, ...]:
        return text
    return [part.strip() for part in text.split(",") if part.strip()]


def _convert(name: str, value: object, origin: str, *, strict: bool) -> object:
    """The value as its field's type. `origin` is where it was said; unless `strict`, a text may stand for a number."""
    if name == "keys":
        return keys_.declared(value, origin)
    try:
        return msgspec.convert(value, _FIELDS[name].type, strict=strict, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        raise _invalid(
            name, f"{origin} is {value!r}: {error}", "docs/settings.md says what each setting takes."
        ) from error


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path) and str(value):
        return Path(value)
    raise ValueError("Expected a path")


def _check_region(region: str) -> None:
    if region not in SUPPORTED_REGIONS:
        raise _invalid(
            "default_region",
            f"default_region {region!r} is not a region with telephone numbers of its own",
            "Give the two capital letters of a country, as in US or DE.",
        )


def _check_listening(host: str, keys: tuple[Key, ...]) -> None:
    """Without keys whoever reaches onefold may write and read everything, so nobody else may reach it."""
    if keys or _is_loopback(host):
        return
    raise _invalid(
        "host",
        f"host {host!r} is not an address of this machine alone, and there are no keys",
        f"Run onefold key new, or add a line such as {keys_.EXAMPLE} to the settings; or listen on 127.0.0.1.",
    )


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _slip_of(name: str) -> str | None:
    """The setting `name` was most likely meant to be, if any is near."""
    near = get_close_matches(name, _FIELDS, n=1, cutoff=0.75)
    return near[0] if near else None


def _nearest(name: str, spelled: Callable[[str], str]) -> str:
    near = _slip_of(name)
    if near:
        return f"Did you mean {spelled(near)}?"
    return f"The settings are {', '.join(spelled(known) for known in _FIELDS)}."


def _invalid(field: str, message: str, hint: str) -> OnefoldError:
    return OnefoldError("settings.invalid", message, hint, field)


_FIELDS: Final = {field.name: field for field in msgspec.structs.fields(Settings)}
