"""`onefold key new`, `onefold key list` and `onefold key revoke`: who may do what from outside."""

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Call, command

if TYPE_CHECKING:
    from pathlib import Path

    from onefold.keys import Key

app = typer.Typer(help="Make, list and revoke the keys that programs and pages ask with.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What sends with it, as in shop or crm.")]


def new(
    call: Call,
    name: Name,
    trust: Annotated[str, typer.Option("--trust", help="public for pages and apps, server for what is secret.")] = (
        "public"
    ),
    scopes: Annotated[
        str, typer.Option("--scopes", help="What it may do: track, read, steward, admin, with commas between.")
    ] = "track",
    origins: Annotated[
        str, typer.Option("--origins", help="The web pages that may use it, as https://shop.example; * for any.")
    ] = "",
) -> None:
    """Make a key, show it this once, and add its hash to the settings file."""
    from onefold import keys
    from onefold.cli import key_file
    from onefold.cli.answers.output import Screen, show_json

    secret = keys.new_secret()
    row = {
        "name": name,
        "hash": keys.hash_of(secret),
        "trust": trust,
        "scopes": _parts(scopes),
        "origins": _parts(origins),
    }
    (key,) = keys.declared([row], "the command line")
    path = _path(call)
    first = not key_file.keys_in(path)
    key_file.add(path, key)
    if call.as_json:
        show_json({"name": name, "key": secret, "trust": trust, "scopes": key.scopes, "origins": key.origins})
        return
    screen = Screen()
    screen.line(secret)
    screen.line(f"This is the key {name}: {trust}, may {', '.join(key.scopes)}. It is not shown again.")
    screen.line(f"Its hash is in {path}. An onefold serve that runs with it takes the key in a second.")
    if first:
        screen.line("From then on every request needs a key.")


def list_(call: Call) -> None:
    """List the keys there are, by their names."""
    import msgspec

    from onefold.cli.answers.output import Screen, show_json
    from onefold.settings import load_keys

    found = load_keys(call.config)
    if call.as_json:
        show_json([msgspec.structs.asdict(key) for key in found])
        return
    screen = Screen()
    screen.table(("name", "trust", "scopes", "origins"), [_row(key) for key in found])
    if not found:
        screen.line("there are no keys: whoever reaches onefold, from this machine alone, may do everything")


def revoke(call: Call, name: Name) -> None:
    """Take a key out of the settings file: nobody gets in with it any more."""
    from onefold.cli import key_file
    from onefold.cli.answers.output import Screen, show_json

    path = _path(call)
    key_file.remove(path, name)
    left = len(key_file.keys_in(path))
    if call.as_json:
        show_json({"name": name, "left": left})
        return
    screen = Screen()
    screen.line(f"The key {name} is taken out of {path}. An onefold serve that runs with it refuses it in a second.")
    if not left:
        screen.line("No key is left: an onefold that runs lets nobody in. Started anew, it listens to this machine")
        screen.line("alone, and asks nobody for a key.")


for function in (new, list_, revoke):
    app.command(function.__name__.rstrip("_"))(command(function))


def _path(call: Call) -> "Path":
    """The settings file to write to. Raises `settings.invalid` when its keys would not count."""
    from onefold.keys import invalid
    from onefold.settings import variable_of

    path = call.keys_file()
    if path is None:
        variable = variable_of("keys")
        raise invalid(
            f"{variable} is set, and wins over the keys of the settings file",
            f"Take it away, or change it: onefold key list --json prints what {variable} holds.",
        )
    return path


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _row(key: "Key") -> tuple[str, ...]:
    return key.name, key.trust, ", ".join(key.scopes), ", ".join(key.origins)
