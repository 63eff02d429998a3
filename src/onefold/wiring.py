"""Puts the parts together: the only module that names concrete stores, and the entry point of the command line."""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from onefold.cli.app import run
from onefold.cli.call import Access
from onefold.errors import OnefoldError

if TYPE_CHECKING:
    from onefold.model.namespaces import Namespaces
    from onefold.model.traits import TraitRules
    from onefold.service import Onefold
    from onefold.service.copying import Copied, Watch
    from onefold.settings import Settings
    from onefold.store.base import CopyTarget, Store
    from onefold.store.neo4j.address import Address


class Kind(NamedTuple):
    """A kind of store.

    Attributes:
        example: a URL of it. shown: a URL as people may see it, without a password.
        read_model: where the read model is kept, unless the settings say so: `memory`, or a folder.
        exists: whether there is a store at a URL.
        open: opens it; unless reading only, it is made if it is not there.
        target: opens it to be filled with another's rows; it is made if it is not there.
    """

    example: str
    shown: Callable[[str], str]
    read_model: Callable[[str], str]
    exists: Callable[[str], bool]
    open: "Callable[[str, Namespaces, TraitRules, bool], Store]"
    target: "Callable[[str, Namespaces, TraitRules], CopyTarget]"


def _sqlite_path(url: str) -> Path:
    from onefold.store.sqlite.open import path_of

    try:
        return path_of(url)
    except ValueError as error:
        raise OnefoldError(
            "settings.invalid",
            f"the store {url!r} names no file",
            "Write sqlite:///shop.db for a file in the working directory, sqlite:////var/lib/shop.db for any other.",
            "store",
        ) from error


def _open_sqlite(url: str, namespaces: "Namespaces", traits: "TraitRules", read_only: bool) -> "Store":
    from onefold.store.sqlite.open import open_sqlite

    return open_sqlite(_sqlite_path(url), namespaces, traits, read_only=read_only)


def _sqlite_target(url: str, namespaces: "Namespaces", traits: "TraitRules") -> "CopyTarget":
    from onefold.store.sqlite.open import open_sqlite_target

    return open_sqlite_target(_sqlite_path(url), namespaces, traits)


def _neo4j_address(url: str) -> "Address":
    from onefold.store.neo4j.address import EXAMPLE, address_of

    try:
        return address_of(url)
    except ValueError as error:
        raise OnefoldError(
            "settings.invalid",
            f"the store's URL cannot be read: {error}",
            f"Write {EXAMPLE}; in a password write @ as %40, / as %2F, : as %3A, % as %25.",
            "store",
        ) from error


def _neo4j_exists(url: str) -> bool:
    from onefold.store.neo4j.open import exists

    return exists(_neo4j_address(url))


def _open_neo4j(url: str, namespaces: "Namespaces", traits: "TraitRules", read_only: bool) -> "Store":
    from onefold.store.neo4j.open import open_neo4j

    return open_neo4j(_neo4j_address(url), namespaces, traits, read_only=read_only)


def _neo4j_target(url: str, namespaces: "Namespaces", traits: "TraitRules") -> "CopyTarget":
    from onefold.store.neo4j.open import open_neo4j_target

    return open_neo4j_target(_neo4j_address(url), namespaces, traits)


SQLITE: Final = Kind(
    "sqlite:///onefold.db",
    lambda url: url,
    lambda url: f"{_sqlite_path(url)}.readmodel",
    lambda url: _sqlite_path(url).exists(),
    _open_sqlite,
    _sqlite_target,
)
NEO4J: Final = Kind(
    "neo4j://user:password@localhost:7687/neo4j",
    lambda url: str(_neo4j_address(url)),
    lambda _: "memory",
    _neo4j_exists,
    _open_neo4j,
    _neo4j_target,
)
STORES: Final[Mapping[str, Kind]] = {"sqlite": SQLITE, "neo4j": NEO4J, "neo4j+s": NEO4J, "neo4j+ssc": NEO4J}


def kind_of(url: str) -> Kind:
    """The kind of store a URL names. Raises `store.unknown_scheme`; passwords in the URL are not repeated."""
    scheme, colon, _ = url.partition(":")
    if colon and scheme.lower() in STORES:
        return STORES[scheme.lower()]
    known = ", ".join(f"{name} ({kind.example})" for name, kind in STORES.items())
    raise OnefoldError(
        "store.unknown_scheme",
        f"no store goes by the scheme {scheme!r}" if colon else "the store has no scheme",
        f"Known are: {known}.",
        "store",
    )


def open_store(url: str, namespaces: "Namespaces", traits: "TraitRules", access: Access = Access.MAKE) -> "Store":
    """The store at a URL; whoever opens it closes it.

    Raises: OnefoldError `store.unknown_scheme`; `store.unavailable` for one that is not there, unless it may be made;
        what the store raises when it is opened.
    """
    kind = kind_of(url)
    if access is not Access.MAKE and not kind.exists(url):
        raise OnefoldError(
            "store.unavailable",
            f"there is no store at {kind.shown(url)}",
            "Name another with --store, or make this one with onefold init.",
            "store",
        )
    return kind.open(url, namespaces, traits, access is Access.READ)


@contextmanager
def build(settings: "Settings", access: Access = Access.MAKE) -> "Iterator[Onefold]":
    """The service as the settings have it, until the block ends; its own settings hold no password any more.

    Raises: OnefoldError `namespaces.invalid`, `traits.invalid`, and what `open_store` raises.
    """
    import msgspec

    from onefold.model import namespaces_file, traits
    from onefold.service import Onefold

    namespaces, rules = namespaces_file.load(settings.namespaces), traits.load(settings.traits)
    kind = kind_of(settings.store)
    shown = msgspec.structs.replace(
        settings,
        store=kind.shown(settings.store),
        read_model=settings.read_model or kind.read_model(settings.store),
    )
    with (
        closing(open_store(settings.store, namespaces, rules, access)) as store,
        Onefold(store, namespaces, rules, shown) as onefold,
    ):
        yield onefold


@contextmanager
def keeping(settings: "Settings") -> "Iterator[Onefold]":
    """The same, which keeps the members of segments right as long as the block lasts."""
    with build(settings) as onefold:
        onefold.start_keeping()
        yield onefold


def copy(settings: "Settings", to: str, watch: "Watch") -> "Copied":
    """Copy the store that the settings name to the URL `to`.

    Raises: OnefoldError as `build` does for a store that is to be read, and what `copying.copy` raises.
    """
    from onefold.model import namespaces_file, traits
    from onefold.service import copying

    namespaces, rules = namespaces_file.load(settings.namespaces), traits.load(settings.traits)
    target = kind_of(to).target
    with (
        closing(open_store(settings.store, namespaces, rules, Access.READ)) as source,
        closing(target(to, namespaces, rules)) as made,
    ):
        return copying.copy(source, made, watch)


class Wired:
    """What the command line needs of the layers above and beside it."""

    def exists(self, settings: "Settings") -> bool:
        """Whether the store that the settings name is there."""
        return kind_of(settings.store).exists(settings.store)

    def shown(self, settings: "Settings") -> str:
        """The store that the settings name, without a password."""
        return kind_of(settings.store).shown(settings.store)

    def open(self, settings: "Settings", access: Access) -> "AbstractContextManager[Onefold]":
        """The service on the store that the settings name, until the block ends."""
        return build(settings, access)

    def copy(self, settings: "Settings", to: str, watch: "Watch") -> "Copied":
        """Copy the store that the settings name to the URL `to`."""
        return copy(settings, to, watch)

    def serve(self, onefold: "Onefold", ready: Callable[[str], None], keys_file: Path | None) -> None:
        """Answer over HTTP until interrupted; heed the keys in that file."""
        from onefold.api.serving import serve

        onefold.start_keeping()
        serve(onefold, ready, keys_file)

    def serve_once_open(self, settings: "Settings", ready: Callable[[str], None], keys_file: Path | None) -> None:
        """The same on the store that the settings name; what cannot be used yet is waited for."""
        from onefold.api.serving import serve_once_open

        serve_once_open(settings, lambda: keeping(settings), ready, keys_file)


def collect_seldom() -> None:
    """A batch keeps tens of thousands of rows for a moment. Looking among them for garbage every 700 allocations, as
    Python does, finds none and takes a twentieth of the time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code."""
    collect_seldom()
    sys.exit(run(Wired(), arguments))
