"""What goes on beside the senders: questions by GraphQL, and imports into the file that the server writes to."""

import json
import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from onefold.errors import Exit
from tests.support.crowd import Happening, crowd
from tests.support.server import ONEFOLD, SECONDS, Client, run, variables

STORE: Final = "sqlite:///store.db"
PEOPLE: Final = 20_000
AN_IMPORT: Final = 200
"""Events in each file."""
KILLED: Final = 3
"""Every so many imports, one is killed while it runs, and run again."""
QUESTION: Final = """query ($who: IdentifierInput!) {
  status { touchpoints }
  customer(by: {identifier: $who}) {
    id profile { traits { name value } } journey(first: 20) { edges { node { messageId } } } } }"""


def paced(happenings: Iterator[Happening], a_second: float) -> Iterator[Happening]:
    """The same, not faster than so many a second."""
    due = monotonic()
    for happening in happenings:
        due = max(due, monotonic() - 1.0) + 1.0 / a_second
        sleep(max(0.0, due - monotonic()))
        yield happening


class Beside:
    """A thread that does one thing again and again. What it must not meet is raised where the block ends."""

    def __init__(self) -> None:
        self.over: Final = threading.Event()
        self._failures: Final[list[Exception]] = []
        self._thread: Final = threading.Thread(target=self._run)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """While the block lasts."""
        self._thread.start()
        try:
            yield
        finally:
            self.over.set()
            self._thread.join(SECONDS)
        if self._failures:
            raise self._failures[0]

    def step(self) -> None:
        """Do it once."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            while not self.over.is_set():
                self.step()
        except Exception as error:  # noqa: BLE001  # it is raised where the block ends
            self._failures.append(error)


class Imports(Beside):
    """Files that are imported, one after the other. What an import said is stored stands in `log`."""

    def __init__(self, folder: Path, pause_seconds: float) -> None:
        super().__init__()
        self.log: Final[set[str]] = set()
        self.stored: Final[list[Happening]] = []
        self.sent: Final[set[str]] = set()
        self.files = self.killed = 0
        self._folder: Final = folder
        self._pause: Final = pause_seconds
        self._dice: Final = random.Random(17)
        self._happenings: Final = crowd(seed=32, people=500)

    def fill(self, events: int) -> None:
        """Import so many at once, before anything else begins."""
        file = self._folder / "filling.jsonl"
        happenings = [one._replace(message_id=f"f-{one.message_id}") for one in islice(crowd(33, PEOPLE), events)]
        file.write_text("".join(json.dumps(one.wire()) + "\n" for one in happenings))
        done = run(self._folder, "import", file.name, "--source", "local", "--store", STORE)
        assert done.returncode == 0, done.stderr
        self.sent.update(one.message_id for one in happenings)
        self.log.update(self.sent)

    def step(self) -> None:
        """Import one file to its end."""
        happenings = [one._replace(message_id=f"i-{one.message_id}") for one in islice(self._happenings, AN_IMPORT)]
        self.sent.update(one.message_id for one in happenings)
        file = self._folder / f"import-{self.files}.jsonl"
        file.write_text("".join(json.dumps(one.wire()) + "\n" for one in happenings))
        if self.files % KILLED == KILLED - 1:
            self._kill_one(file)
        while not self._imported(file):
            if self.over.is_set():
                return
        self.files += 1
        self.log.update(one.message_id for one in happenings)
        self.stored.extend(happenings[:2])
        file.unlink()
        self.over.wait(self._pause)

    def _start(self, file: Path) -> "subprocess.Popen[str]":
        command = [*ONEFOLD, "--json", "--store", STORE, "import", file.name, "--source", "local"]
        own = variables({"batch_size": 20})
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self._folder, env=own, stdout=pipe, stderr=pipe, text=True)

    def _kill_one(self, file: Path) -> None:
        with self._start(file) as process:
            self.over.wait(self._dice.uniform(0.5, 2.0))
            process.kill()
            process.communicate(timeout=SECONDS)
            self.killed += process.returncode < 0

    def _imported(self, file: Path) -> bool:
        """Whether it came to its end; a store that others hold for too long is tried again."""
        with self._start(file) as process:
            out, complaint = process.communicate(timeout=SECONDS)
        if process.returncode == Exit.BUSY:
            return False
        assert process.returncode == 0, complaint
        report = json.loads(out)
        assert report["rejected"] == 0, report
        return True


class Questions(Beside):
    """Somebody who asks for customers whose events were imported: they are there, whatever else happens."""

    def __init__(self, imports: Imports, a_second: float) -> None:
        super().__init__()
        self.answered = self.cut = 0
        self.port: int | None = None
        self._imports: Final = imports
        self._pause: Final = 1.0 / a_second
        self._dice: Final = random.Random(18)

    def step(self) -> None:
        """Ask once."""
        self.over.wait(self._pause)
        if (port := self.port) is None or not self._imports.stored:
            return
        namespace, value = self._dice.choice(self._dice.choice(self._imports.stored).identifiers)
        client = Client(port)
        try:
            said = client.graphql(QUESTION, who={"namespace": namespace, "value": value})
        except (OSError, HTTPException):
            self.cut += 1
            return
        finally:
            client.close()
        if codes := {error["extensions"]["code"] for error in said.get("errors", [])}:
            assert codes <= {"store.busy"}, said
            return
        assert said["data"]["customer"]["id"].startswith("cus_"), said
        self.answered += 1
