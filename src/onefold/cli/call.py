"""One call of the command line: what all commands have in common.

Commands import what only they need when they run, so that `onefold --help` is quick.
"""

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from onefold.service import Onefold
    from onefold.service.copying import Copied, Watch
    from onefold.settings import Settings

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="URL", help="Where customers are kept, as in sqlite:///shop.db or neo4j://localhost."
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The settings file, instead of onefold.toml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


class Access(Enum):
    """What a command does with the store. Only MAKE makes one that is not there; else it is `store.unavailable`."""

    READ = auto()
    WRITE = auto()
    MAKE = auto()


class Doors(Protocol):
    """What lies above the command line or beside it; `onefold.wiring` provides it."""

    def exists(self, settings: "Settings") -> bool:
        """Whether the store that the settings name is there."""

    def shown(self, settings: "Settings") -> str:
        """The store that the settings name, as people may see it: without a password."""

    def open(self, settings: "Settings", access: Access) -> "AbstractContextManager[Onefold]":
        """The service on the store that the settings name, until the block ends."""

    def copy(self, settings: "Settings", to: str, watch: "Watch") -> "Copied":
        """Copy the store that the settings name to the URL `to`; `watch` is told of each step."""

    def serve(self, onefold: "Onefold", ready: Callable[[str], None], keys_file: Path | None) -> None:
        """Answer over HTTP until interrupted; `ready` is told the base URL as soon as requests are answered.
        `keys_file`: where keys are declared, to be looked at now and then."""

    def serve_once_open(self, settings: "Settings", ready: Callable[[str], None], keys_file: Path | None) -> None:
        """The same on the store that the settings name, which is made if need be; what cannot be used yet is waited
        for, and requests are told so."""


class Call:
    """What was asked for besides the command's own arguments."""

    def __init__(self, doors: Doors) -> None:
        """Nothing is asked for yet; the options are read as the command line is."""
        self.doors = doors
        self.store: str | None = None
        self.config: Path | None = None
        self.as_json = False
        self.traceback = False

    def take(self, store: str | None, config: Path | None, as_json: bool) -> None:
        """Heed the common options, which may stand before the command or after it; the latter win."""
        self.store = self.store if store is None else store
        self.config = self.config if config is None else config
        self.as_json = self.as_json or as_json

    def settings(self, **chosen: object) -> "Settings":
        """The settings, with what the command line chose (None: nothing). Raises `settings.invalid`."""
        from onefold.settings import load_settings

        said = {"store": self.store, **chosen}
        return load_settings(self.config, chosen={name: value for name, value in said.items() if value is not None})

    def keys_file(self) -> Path | None:
        """Where keys are declared, be it there or not; None where no file's keys count."""
        from onefold.settings import keys_file

        return keys_file(self.config)

    def open(self, access: Access = Access.READ) -> "AbstractContextManager[Onefold]":
        """The service on the chosen store."""
        return self.doors.open(self.settings(), access)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function of (call, arguments …) one of (context, arguments …, common options), as typer reads it."""

    @functools.wraps(function)
    def run(context: typer.Context, **given: Any) -> None:
        call: Call = context.obj
        call.take(given.pop("store"), given.pop("config"), given.pop("as_json"))
        function(call, **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.signature(function)
    _, *own = signature.parameters.values()
    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        inspect.Parameter("store", keyword, default=None, annotation=StoreOption),
        inspect.Parameter("config", keyword, default=None, annotation=ConfigOption),
        inspect.Parameter("as_json", keyword, default=False, annotation=JsonOption),
    ]
    del run.__dict__["__wrapped__"]  # typer would read the signature from it
    run.__dict__["__signature__"] = signature.replace(parameters=parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
