"""The stores that benchmarks run on: one of a million touchpoints, built once, and copies of it."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from rich.progress import Progress

from bench.service import Service
from bench.world import World
from onefold.schema_files import schema_folder

FOLDER: Final = Path(__file__).parents[1] / ".bench"
SOURCES: Final = Path(__file__).parents[1] / "src" / "onefold"
PEOPLE: Final = 100_000
TOUCHPOINTS: Final = 1_000_000
BUILT_UNTIL: Final = 0.97
"""The share of the year that the base store has seen."""
STEP: Final = 1_000


@cache
def base(*, telling: bool = False) -> Path:
    """The store of a million touchpoints, on request of people who say who they are. What it is made by is part of its
    name: nothing stale is measured."""
    FOLDER.mkdir(exist_ok=True)
    key = made_by(("sqlite/*.sql",), ("store/sqlite/writing/*.py",), PEOPLE, TOUCHPOINTS, BUILT_UNTIL)
    kind = "telling" if telling else "base"
    path = FOLDER / f"{kind}-{key}.db"
    if not path.exists():
        for old in FOLDER.glob(f"{kind}-*.db*"):
            old.unlink()
        _build(path, world(telling=telling))
    return path


def world(*, telling: bool = False) -> World:
    """Those whose touchpoints the base store holds."""
    return World(PEOPLE, telling=telling)


def chunks(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Lists of `size` lines."""
    remaining = iter(lines)
    while chunk := list(islice(remaining, size)):
        yield chunk


class Copy:
    """A copy of a store, gone when the block ends. On disk before anything is measured."""

    def __init__(self, name: str, of: Path | None = None) -> None:
        """`name` tells copies of one benchmark apart. `of`: the base store, unless it is given."""
        self.path: Final = FOLDER / f"copy-{name}.db"
        self._of: Final = of

    def __enter__(self) -> Path:
        """Make it."""
        self._delete()
        shutil.copyfile(self._of or base(), self.path)
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        return self.path

    def __exit__(self, *_: object) -> None:
        """Delete it."""
        self._delete()

    def _delete(self) -> None:
        for end in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)


def made_by(schema: Sequence[str], writing: Sequence[str], *world: float) -> str:
    """A name for what a store of these events holds: that follows from these files and numbers.

    Args:
        schema: patterns of files in `graph_schema`. writing: of files in `src/onefold`.
        world: what the events were drawn with.
    """
    digest = hashlib.blake2b(" ".join(map(str, world)).encode(), digest_size=8)
    files = [path for pattern in (*schema, "namespaces.yaml") for path in schema_folder().glob(pattern)]
    files += [path for pattern in (*writing, "stitch/*.py", "model/ids.py") for path in SOURCES.glob(pattern)]
    for path in sorted([*files, Path(__file__).with_name("world.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _build(path: Path, people: World) -> None:
    unfinished = path.with_name(f"unfinished-{path.name}")
    unfinished.unlink(missing_ok=True)
    service = Service(unfinished)
    with Progress(transient=True) as progress:
        task = progress.add_task("building the store of a million touchpoints", total=TOUCHPOINTS)
        for chunk in chunks(people.events(TOUCHPOINTS, 0.0, BUILT_UNTIL), 20 * STEP):
            service.ingest(chunk, STEP)
            progress.advance(task, len(chunk))
    service.close()
    unfinished.rename(path)
