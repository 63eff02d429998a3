"""Senders that send as fast as they are answered, and keep account of what they were told."""

import json
import os
import random
import select
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from itertools import islice
from pathlib import Path
from typing import Final

from tests.support.crowd import Happening
from tests.support.server import SECONDS, Answer, Client, Server, until

BATCHES: Final = (1, 1, 2, 5, 20)
PAUSE_SECONDS: Final = 0.05
"""After a refusal; what `Retry-After` says would only make tests long."""


class Load:
    """Threads that send what happens, each batch again and again until it is acknowledged.

    Every acknowledgement is written to a file and synced before anything else is sent: what stands there was promised.
    """

    def __init__(self, happenings: Iterator[Happening], log: Path, senders: int = 6) -> None:
        """Nobody sends before `send_to`."""
        self.sent: Final[dict[str, Happening]] = {}
        self.became: Final[Counter[str]] = Counter()
        self.refused: Final[Counter[str]] = Counter()
        self.cut = 0
        self.acknowledged = 0
        self._happenings: Final = happenings
        self._log: Final = log
        self._dice: Final = random.Random(senders)
        self._changed: Final = threading.Condition()
        self._port: int | None = None
        self._ending = False
        self._unanswered: Final[dict[int, Client]] = {}
        self._failures: Final[list[Exception]] = []
        self._threads: Final = [threading.Thread(target=self._run, args=(number,)) for number in range(senders)]
        for thread in self._threads:
            thread.start()

    def send_to(self, port: int | None) -> None:
        """From now on send there; None: wait."""
        with self._changed:
            self._port = port
            self._changed.notify_all()

    def more_acknowledged(self, events: int) -> None:
        """Wait until so many more events were acknowledged."""
        enough = self.acknowledged + events
        until(lambda: self._failures or self.acknowledged >= enough, f"{events} more events are acknowledged")

    def more_refused(self, requests: int) -> None:
        """Wait until so many more requests were refused."""
        enough = self.refused.total() + requests
        until(lambda: self._failures or self.refused.total() >= enough, f"{requests} more requests are refused")

    def unanswered(self) -> set[tuple[int, int]]:
        """Requests that were sent whole, and of whose answer nothing has arrived."""
        return {(number, id(client)) for number, client in self._unanswered.copy().items() if _silent(client)}

    def log(self) -> set[str]:
        """The message ids of all events that were acknowledged."""
        return {name for line in self._log.read_text().splitlines() for name in json.loads(line)}

    def end(self) -> None:
        """Send nothing more; what is not acknowledged by now never is. Fails when a sender met what it must not."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(SECONDS)
            assert not thread.is_alive(), "a sender waits for an answer that does not come"
        if self._failures:
            raise self._failures[0]

    def _run(self, number: int) -> None:
        try:
            with self._log.open("ab", buffering=0) as log:
                while not self._ending:
                    batch = self._next()
                    while (port := self._target()) is not None:
                        if self._delivered(batch, number, Client(port), log.fileno()):
                            break
        except Exception as error:  # noqa: BLE001  # it is raised where the load ends
            self._failures.append(error)

    def _next(self) -> list[Happening]:
        with self._changed:
            batch = list(islice(self._happenings, self._dice.choice(BATCHES)))
            self.sent.update((happening.message_id, happening) for happening in batch)
            return batch

    def _target(self) -> int | None:
        """Where to send to; None when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending or self._port is not None, SECONDS)
            return None if self._ending else self._port

    def _delivered(self, batch: Sequence[Happening], number: int, client: Client, log: int) -> bool:
        """Send a batch; -> whether it was acknowledged."""
        try:
            client.send("POST", "/v1/batch", {"batch": [happening.wire() for happening in batch]})
            self._unanswered[number] = client
            answer = client.receive()
        except (OSError, HTTPException):
            self._was_cut(number)
            return False
        finally:
            self._unanswered.pop(number, None)
            client.close()
        if answer.status != 200:
            self._was_refused(answer)
            return False
        names = [result["messageId"] for result in answer.said["results"]]
        assert names == [happening.message_id for happening in batch]
        assert answer.said["rejected"] == 0, answer.said
        os.write(log, json.dumps(names).encode() + b"\n")
        os.fsync(log)
        with self._changed:
            self.acknowledged += len(names)
            self.became.update(result["status"] for result in answer.said["results"])
        return True

    def _was_cut(self, number: int) -> None:
        """The server went away: before it took the request, or before it answered."""
        with self._changed:
            self.cut += number in self._unanswered
            self._changed.wait(PAUSE_SECONDS)

    def _was_refused(self, answer: Answer) -> None:
        assert int(answer.headers["retry-after"]) >= 1, answer
        with self._changed:
            self.refused[answer.said["code"]] += 1
            self._changed.wait(PAUSE_SECONDS)


def resend(server: Server, load: Load) -> dict[str, str]:
    """Send all that was ever sent once more; -> what became of each message id."""
    happenings = list(load.sent.values())
    became: dict[str, str] = {}
    with server.client() as client:
        for start in range(0, len(happenings), 200):
            answer = client.ingest([happening.wire() for happening in happenings[start : start + 200]])
            assert answer.status == 200, answer
            assert all("code" not in result for result in answer.said["results"]), "what was stored is what was sent"
            became.update((result["messageId"], result["status"]) for result in answer.said["results"])
    return became


def _silent(client: Client) -> bool:
    """Whether nothing has arrived that was not read yet."""
    try:
        return not select.select([client.connection.sock], [], [], 0)[0]
    except (OSError, TypeError, ValueError):  # it was closed meanwhile, so its answer was read
        return False


@contextmanager
def loading(happenings: Iterator[Happening], log: Path, senders: int = 6) -> Iterator[Load]:
    """A load that ends with the block at the latest."""
    load = Load(happenings, log, senders)
    try:
        yield load
    finally:
        load.end()
