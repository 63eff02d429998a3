"""The wheel, installed somewhere else from nothing but itself and its declared dependencies, works."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from onefold import __version__, demo
from tests.tables import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]  # built once, on one worker


def run(*command: str | Path, cwd: Path) -> str:
    """What the command prints; it finds pins in the constraints, and nothing of this checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pins = str(ROOT / "constraints.txt")
    environment |= {"PIP_CONSTRAINT": pins, "PIP_BUILD_CONSTRAINT": pins}
    done = subprocess.run(
        [*command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's folder of commands, with the wheel that was built from the source archive."""
    built, home = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("home")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", built, ROOT, cwd=built)
    (wheel,) = built.glob("onefold-*.whl")
    venv.create(home / "env", with_pip=True)
    commands = home / "env" / "bin"
    run(commands / "python", "-m", "pip", "install", "--quiet", wheel, cwd=home)
    return commands


def test_the_wheel_carries_all_of_graph_schema(installed: Path, tmp_path: Path) -> None:
    listing = (
        "import json; from onefold.schema_files import schema_folder; folder = schema_folder();"
        "print(json.dumps({str(p.relative_to(folder)): p.read_text() for p in folder.rglob('*') if p.is_file()}))"
    )
    carried = json.loads(run(installed / "python", "-c", listing, cwd=tmp_path))
    here = ROOT / "graph_schema"
    assert carried == {str(path.relative_to(here)): path.read_text() for path in here.rglob("*") if path.is_file()}
    assert "namespaces.yaml" in carried


def test_the_wheel_is_what_runs_and_not_this_checkout(installed: Path, tmp_path: Path) -> None:
    place = run(installed / "python", "-c", "import onefold; print(onefold.__file__)", cwd=tmp_path)
    assert Path(place).is_relative_to(installed.parent)


def test_the_default_settings_name_files_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    script = (
        "from onefold.settings import load_settings; chosen = load_settings();"
        "print(chosen.namespaces.is_file(), chosen.traits.is_file())"
    )
    assert run(installed / "python", "-c", script, cwd=tmp_path) == "True True\n"


def test_the_demo_runs_and_its_store_answers(installed: Path, tmp_path: Path) -> None:
    shown = run(installed / "onefold", "demo", "--story", "--no-serve", cwd=tmp_path)
    assert "Her journey" in shown
    resolved = run(
        installed / "onefold", "resolve", "email:ann@example.com", "--json", "--store", demo.STORE, cwd=tmp_path
    )
    assert json.loads(resolved)[0]["customer"]["anonymous"] is False


def test_the_command_runs_and_says_how_to_use_it(installed: Path, tmp_path: Path) -> None:
    assert "onefold" in run(installed / "onefold", "--help", cwd=tmp_path)
    assert run(installed / "onefold", "--version", cwd=tmp_path) == f"onefold {__version__}\n"
