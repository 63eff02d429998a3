"""What all commands have in common: where options stand, how answers look, how quickly help comes."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from onefold import __version__, demo
from tests.cli.conftest import ONEFOLD, Run

HEAVY = {"apsw", "asyncio", "graphql", "networkx", "phonenumbers", "starlette", "strawberry", "uvicorn", "yaml"}


@pytest.mark.parametrize("command", [[], ["resolve"], ["import"], ["serve"], ["demo"]])
def test_help_comes_without_loading_what_only_commands_need(command: list[str]) -> None:
    script = (
        "import sys; from onefold.wiring import main\n"
        f"try: main({[*command, '--help']!r})\n"
        "except SystemExit as ended: print(ended.code, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    code, *loaded = done.stderr.split()
    assert code == "0"
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--store", "sqlite:///there.db", "init", "--json"],
        ["init", "--json", "--store", "sqlite:///there.db"],
        ["--store", "sqlite:///elsewhere.db", "--json", "init", "--store", "sqlite:///there.db"],
        ["--config", "there.toml", "--json", "init"],
        ["init", "--config", "there.toml", "--json"],
    ],
)
def test_common_options_stand_before_the_command_or_after_it(
    onefold: Run, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "there.toml").write_text('store = "sqlite:///there.db"')
    assert onefold(*arguments).json["store"] == str(tmp_path / "there.db")


def test_the_store_is_chosen_by_option_before_variable_before_file(onefold: Run, tmp_path: Path) -> None:
    (tmp_path / "onefold.toml").write_text('store = "sqlite:///file.db"')
    variable = {"ONEFOLD_STORE": "sqlite:///variable.db"}
    assert onefold("init", "--json").json["store"] == str(tmp_path / "file.db")
    assert onefold("init", "--json", variables=variable).json["store"] == str(tmp_path / "variable.db")
    chosen = onefold("init", "--json", "--store", "sqlite:///option.db", variables=variable)
    assert chosen.json["store"] == str(tmp_path / "option.db")


def test_the_version_is_said_to_people_and_programs(onefold: Run) -> None:
    assert onefold("--version").out == f"onefold {__version__}\n"
    assert onefold("--version", "--json").json == onefold("--json", "--version").json == {"version": __version__}


def test_what_is_piped_on_is_neither_coloured_nor_wrapped(told: Run) -> None:
    shown = told("customer", "user_id:u-1002").out
    assert "\x1b" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())
    assert max(map(len, shown.splitlines())) > 120


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What onefold shows on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "COLUMNS": "100", "TERM": "xterm"} | {"NO_COLOR": ""}
    with subprocess.Popen([ONEFOLD, *arguments], cwd=folder, env=variables, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # what Linux says when the other end is closed
                break
            if not part:
                break
            shown += part
        process.wait(timeout=60)
    os.close(ours)
    return shown.decode()


def test_on_a_terminal_tables_fit_and_the_retroactive_part_stands_out(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "demo", "--story", "--no-serve")
    retroactive = [line for line in shown.splitlines() if "\x1b[33m2025-" in line]
    assert len(retroactive) == 13
    assert "\x1b[1mFour people\x1b[0m" in shown


def test_on_a_terminal_an_import_shows_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "story.jsonl").write_bytes(b"\n".join(demo.events()))
    shown = on_a_terminal(tmp_path, "import", "story.jsonl")
    while_it_ran, counts, after = shown.rpartition("40 accepted, 0 duplicates, 0 rejected\r\n")
    assert counts
    assert re.fullmatch(r"9 joins, [\d,]+ lines a second\r\n", after)
    assert counts.strip() in while_it_ran


def test_what_was_sent_cannot_steer_the_terminal(onefold: Run) -> None:
    event = (
        '{"messageId":"1","timestamp":"2025-01-01T00:00:00Z","type":"track","userId":"u",'
        '"event":"\\u001b[31mred [bold]x","traits":{"name":"\\u001b]0;title\\u0007\\u202etxt"}}'
    )
    assert onefold("import", "-", stdin=event).code == 0
    shown = onefold("customer", "user_id:u").out
    assert "\x1b" not in shown
    assert "\\x1b[31mred [bold]x" in shown
    assert "\u202e" not in shown


def test_a_reader_that_goes_away_is_no_error(told: Run, tmp_path: Path) -> None:
    script = f"{ONEFOLD} demo --people 50 --no-serve --store sqlite:///{tmp_path}/x.db | head -1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
