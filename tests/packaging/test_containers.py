"""Dockerfile, .dockerignore and docker-compose.yml, read strictly: no engine runs where these tests do."""

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from onefold.settings import load_settings
from onefold.store.neo4j.address import address_of
from tests.support.neo4j_server import neo4j_server
from tests.support.server import serving
from tests.tables import ROOT

INSTRUCTIONS: Final = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD")
}
PASSWORD: Final = "chosen1234"
NAMES_OF_ITS_OWN: Final = {"NEO4J_AUTH"}
"""Variables of Neo4j's image that are no settings of Neo4j."""


class Instruction(NamedTuple):
    word: str
    rest: str


def stages() -> list[list[Instruction]]:
    """The instructions of each stage; lines that go on are one."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found: list[list[Instruction]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        assert word in INSTRUCTIONS, line
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, rest))
    return found


def all_of(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.rest for instruction in stage if instruction.word == word]


def sent(path: str) -> bool:
    """Whether .dockerignore lets a path into the build; the last line that speaks of it counts."""
    let = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = path.split("/")
        if fnmatch(parts[0], pattern) or (line.startswith("**/") and any(fnmatch(part, pattern) for part in parts)):
            let = line.startswith("!")
    return let


def test_both_stages_are_of_one_slim_image_of_a_python_we_support() -> None:
    build, final = stages()
    [first], [last] = all_of(build, "FROM"), all_of(final, "FROM")
    assert first == f"{last} AS build"
    assert re.fullmatch(r"python:3\.1[1-3]-slim", last)


def test_what_the_wheel_is_made_of_is_copied_and_nothing_that_is_not_sent() -> None:
    build, final = stages()
    copied = {source for rest in all_of(build, "COPY") for source in rest.split()[:-1]}
    assert all((ROOT / source).exists() and sent(source) for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"], "src"}
    needed |= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
    assert copied == needed | {"constraints.txt"}
    assert all_of(final, "COPY") == ["--from=build /onefold /onefold"]


def test_neither_git_nor_environments_nor_stores_are_sent() -> None:
    for path in (".git/HEAD", ".venv/bin/python", "shop.db", ".env", "tests/conftest.py", "src/onefold/x.pyc"):
        assert not sent(path), path
    assert sent("src/onefold/wiring.py")
    assert not sent("src/onefold/__pycache__/wiring.pyc")


def test_it_installs_what_is_pinned() -> None:
    [command] = all_of(stages()[0], "RUN")
    assert "PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt" in command


def test_it_runs_as_a_user_without_rights_in_a_folder_of_its_own() -> None:
    _, final = stages()
    words = [instruction.word for instruction in final]
    assert "RUN" not in words[words.index("USER") :]
    [user], [folder], [volume], [made] = (all_of(final, word) for word in ("USER", "WORKDIR", "VOLUME", "RUN"))
    assert int(user) > 0, "a number, so that Kubernetes sees that it is not root"
    assert f"--uid {user}" in made
    assert f"--home-dir {folder} --create-home" in made
    assert folder == volume
    [variables] = all_of(final, "ENV")
    given = dict(pair.split("=", 1) for pair in variables.split())
    assert given["ONEFOLD_STORE"] == f"sqlite:///{volume}/onefold.db"
    assert given["PATH"] == "/onefold/bin:$PATH"


def test_it_serves_and_shows_where() -> None:
    _, final = stages()
    entry, command = json.loads(all_of(final, "ENTRYPOINT")[0]), json.loads(all_of(final, "CMD")[0])
    assert [*entry, *command] == ["onefold", "serve"]
    assert all_of(final, "EXPOSE") == [str(load_settings(variables={}).port)]


@pytest.mark.slow
def test_its_health_check_tells_whether_onefold_answers(tmp_path: Path) -> None:
    [check] = all_of(stages()[1], "HEALTHCHECK")
    [python, *code] = json.loads(check.partition(" CMD ")[2])
    assert (python, code[0]) == ("python", "-c")

    def healthy(port: int) -> bool:
        asked = code[1].replace("8470", str(port))
        assert asked != code[1]
        return subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False).returncode == 0

    with serving(tmp_path) as server:
        assert healthy(server.port)
    assert not healthy(server.port)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The services, as they are when a password is chosen."""
    text = (ROOT / "docker-compose.yml").read_text()
    text = re.sub(r"(?<!\$)\$\{NEO4J_PASSWORD:\?[^}]+\}", PASSWORD, text)
    assert not re.search(r"(?<!\$)\$\{", text), "nothing else is to be chosen"
    read: dict[str, Any] = yaml.safe_load(text)
    assert read.keys() == {"services", "volumes"}
    services: dict[str, Any] = read["services"]
    named = {volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert named == read["volumes"].keys()
    return services


def test_onefold_finds_neo4j_with_the_password_that_was_chosen(compose: dict[str, Any]) -> None:
    address = address_of(compose["onefold"]["environment"]["ONEFOLD_STORE"])
    assert address.auth == ("neo4j", PASSWORD)
    assert compose["neo4j"]["environment"]["NEO4J_AUTH"] == f"neo4j/{PASSWORD}"
    assert f"{address.host}:{address.port}:7687" in compose["neo4j"]["ports"]


def test_nobody_else_reaches_what_asks_for_no_key(compose: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in compose["neo4j"]["ports"])
    assert compose["onefold"]["network_mode"] == "host"
    assert "ports" not in compose["onefold"], "it listens to this machine alone, which it sees as its own"
    assert "ONEFOLD_HOST" not in compose["onefold"]["environment"]


def test_the_variables_of_onefold_are_settings(compose: dict[str, Any]) -> None:
    chosen = load_settings(variables=compose["onefold"]["environment"])
    assert chosen.store == compose["onefold"]["environment"]["ONEFOLD_STORE"]


def test_onefold_is_built_here_and_can_do_little(compose: dict[str, Any]) -> None:
    onefold = compose["onefold"]
    assert onefold["build"] == "."
    assert onefold["read_only"] is True
    assert onefold["cap_drop"] == ["ALL"]
    assert onefold["tmpfs"] == all_of(stages()[1], "VOLUME")
    assert onefold["depends_on"] == ["neo4j"]


def settings_of(variables: dict[str, str]) -> dict[str, str]:
    """Settings of Neo4j by its image's variables: `_` stands for a dot, `__` for `_`."""
    names = {
        name: name.removeprefix("NEO4J_").replace("__", "\0").replace("_", ".").replace("\0", "_") for name in variables
    }
    return {names[name]: value for name, value in variables.items() if name not in NAMES_OF_ITS_OWN}


def test_neo4j_is_of_the_version_that_is_tested(compose: dict[str, Any]) -> None:
    [version] = re.findall(r'^VERSION: Final = "(.+)"$', (ROOT / "scripts" / "neo4j-server").read_text(), re.MULTILINE)
    assert compose["neo4j"]["image"] == f"neo4j:{version}-community"


@pytest.mark.slow
def test_a_server_takes_the_settings_of_neo4j(compose: dict[str, Any], tmp_path: Path) -> None:
    """A setting that is none keeps it from starting."""
    settings = settings_of(compose["neo4j"]["environment"])
    assert settings.keys() >= {"dbms.usage_report.enabled", "server.memory.heap.max_size"}
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    with neo4j_server(tmp_path / "home", *given) as server:
        assert server.url
