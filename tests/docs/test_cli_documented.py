"""docs/cli.md describes every command with its arguments and options, and none that is not there."""

import re

import pytest
from typer.main import get_command

from onefold.cli.app import app
from onefold.errors import Exit
from tests.tables import ROOT, rows

GUIDE = (ROOT / "docs" / "cli.md").read_text()
GROUP = get_command(app)
COMMANDS = {
    f"{name} {below}".strip(): command
    for name, group in GROUP.commands.items()  # type: ignore[attr-defined]  # typer keeps the type of groups to itself
    for below, command in getattr(group, "commands", {"": group}).items()
}
EVERYWHERE = {"--store", "--config", "--json", "--help"}


def section(heading: str) -> str:
    return GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def documented(text: str) -> set[str]:
    """The arguments and options in the tables of a section."""
    cells = re.findall(r"^\| (`.+?) \| ", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\S+?)(?: \S+)?`", cell)}


def there(command: str) -> set[str]:
    """The arguments and options of a command, but for those that every command has."""
    found = [*COMMANDS[command].params]
    arguments = [parameter for parameter in found if not parameter.opts[0].startswith("-")]
    names = {name for parameter in arguments for name in (parameter.metavar or "").split("|")}
    options = {parameter.opts[0] for parameter in found if parameter not in arguments}
    return (names | options) - EVERYWHERE


def test_every_command_has_its_section_in_the_order_of_the_help() -> None:
    assert re.findall(r"^## onefold ([\w ]+)$", GUIDE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_names_the_arguments_and_options_there_are(command: str) -> None:
    assert documented(section(f"onefold {command}")) == there(command)


def test_the_options_of_every_command_are_named_once() -> None:
    of_group = {option for parameter in GROUP.params for option in parameter.opts if option.startswith("--")}
    assert documented(section("Every command")) == of_group | EVERYWHERE


def test_the_exit_codes_are_those_of_the_registry() -> None:
    here, in_errors = rows("cli.md", "| exit | meaning |"), rows("errors.md", "| exit | meaning |")
    interrupted = "interrupted with Ctrl-C; what was written stays. `serve`, also as part of `demo`, ends with 0"
    assert here == [*in_errors, ("130", interrupted)]
    assert len(in_errors) == len(Exit)
