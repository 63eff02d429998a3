"""Puts the parts together: the only module that names concrete stores, and the entry point of the command line."""

import signal
import socket
import sys
import threading
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


STOPPING_SECONDS: Final = 5
"""How long requests may still take when the server is told to end: who stalls would otherwise keep it for ever."""


class Kind(NamedTuple):
    """A kind of store.

    Attributes:
        example: a URL of it.
        exists: whether there is a store at a URL.
        open: opens it; unless reading only, it is made if it is not there.
        target: opens it to be filled with another's rows; it is made if it is not there.
    """

    example: str
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


STORES: Final[Mapping[str, Kind]] = {
    "sqlite": Kind("sqlite:///onefold.db", lambda url: _sqlite_path(url).exists(), _open_sqlite, _sqlite_target),
}


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
            f"there is no store at {url}",
            "Name another with --store, or make this one with onefold init.",
            "store",
        )
    return kind.open(url, namespaces, traits, access is Access.READ)


@contextmanager
def build(settings: "Settings", access: Access = Access.MAKE) -> "Iterator[Onefold]":
    """The service as the settings have it, until the block ends.

    Raises: OnefoldError `namespaces.invalid`, `traits.invalid`, and what `open_store` raises.
    """
    from onefold.model import namespaces_file, traits
    from onefold.service import Onefold

    namespaces, rules = namespaces_file.load(settings.namespaces), traits.load(settings.traits)
    with (
        closing(open_store(settings.store, namespaces, rules, access)) as store,
        Onefold(store, namespaces, rules, settings) as onefold,
    ):
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


def serve(onefold: "Onefold", ready: Callable[[str], None]) -> None:
    """Answer over HTTP on the host and port of the settings until SIGINT or SIGTERM; then finish what was begun,
    as far as that takes no longer than a few seconds.

    Raises: OnefoldError `settings.invalid` when the address cannot be listened on.
    """
    import uvicorn

    from onefold.api.app import create_app

    class Server(uvicorn.Server):
        """Says when it answers, and ends like any other function when it is told to end."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(url)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    with closing(_listen(onefold.settings.host, onefold.settings.port)) as listening:
        host, port = listening.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        config = uvicorn.Config(
            create_app(onefold),
            loop="asyncio",
            http="h11",
            ws="none",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=STOPPING_SECONDS,
        )
        Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises `settings.invalid`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        raise OnefoldError(
            "settings.invalid",
            f"onefold cannot listen on {host}, port {port}: {error.strerror}",
            "Choose another port with --port; 0 takes any free one.",
            "port",
        ) from error


class Wired:
    """What the command line needs of the layers above and beside it."""

    def exists(self, settings: "Settings") -> bool:
        """Whether the store that the settings name is there."""
        return kind_of(settings.store).exists(settings.store)

    def open(self, settings: "Settings", access: Access) -> "AbstractContextManager[Onefold]":
        """The service on the store that the settings name, until the block ends."""
        return build(settings, access)

    def copy(self, settings: "Settings", to: str, watch: "Watch") -> "Copied":
        """Copy the store that the settings name to the URL `to`."""
        return copy(settings, to, watch)

    def serve(self, onefold: "Onefold", ready: Callable[[str], None]) -> None:
        """Answer over HTTP until interrupted."""
        serve(onefold, ready)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code."""
    sys.exit(run(Wired(), arguments))
