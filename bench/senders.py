"""Senders that cost next to nothing: connections that stay open, requests written out beforehand, and of an answer only
its status, its length and its first words looked at. So what is measured is the server."""

import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Final

HEAD: Final = b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
LENGTH: Final = b"content-length: "
CHUNK: Final = 65_536
GIVEN_UP_SECONDS: Final = 60.0


def request(path: str, body: bytes) -> bytes:
    """All of a request, as it goes over the wire."""
    return HEAD % (path.encode(), len(body)) + body


class _Sender:
    """One connection, with a request on its way or none."""

    __slots__ = ("_answer", "began", "connection")

    def __init__(self, port: int) -> None:
        self.connection: Final = socket.create_connection(("127.0.0.1", port), GIVEN_UP_SECONDS)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""
        self.began = 0.0

    def send(self, whole: bytes) -> None:
        self._answer, self.began = b"", perf_counter()
        self.connection.sendall(whole)

    def answered(self, expected: bytes) -> bool:
        """Read what has come; -> whether it is all. Fails unless the body begins as `expected`."""
        came = self.connection.recv(CHUNK)
        assert came, "the server hung up"
        self._answer += came
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return False
        begin = self._answer.index(LENGTH) + len(LENGTH)
        if len(self._answer) < head + 4 + int(self._answer[begin : self._answer.index(b"\r\n", begin)]):
            return False
        assert self._answer.startswith(expected, head + 4), self._answer[:1_000]
        return True


class Senders:
    """Connections to one server; each has one request on its way, and sends the next when it is answered. They `run`
    once."""

    def __init__(self, port: int, number: int) -> None:
        """Connect them all."""
        self._senders: Final = [_Sender(port) for _ in range(number)]
        self._selector: Final = selectors.EpollSelector()
        for sender in self._senders:
            self._selector.register(sender.connection, selectors.EVENT_READ, sender)

    def run(self, requests: Sequence[bytes], expected: bytes) -> list[float]:
        """Send them all; -> the seconds that each took, as they were answered."""
        remaining = iter(requests)
        waiting = 0
        for sender, first in zip(self._senders, remaining, strict=False):
            sender.send(first)
            waiting += 1
        took: list[float] = []
        while waiting:
            ready = self._selector.select(GIVEN_UP_SECONDS)
            assert ready, "the server does not answer"
            for key, _ in ready:
                sender = key.data
                if not sender.answered(expected):
                    continue
                took.append(perf_counter() - sender.began)
                following = next(remaining, None)
                if following is None:
                    self._selector.unregister(sender.connection)  # the server hangs up on who says nothing more
                    waiting -= 1
                else:
                    sender.send(following)
        return took

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for sender in self._senders:
            sender.connection.close()


@contextmanager
def connected(port: int, number: int) -> Iterator[Senders]:
    """So many connections until the block ends."""
    senders = Senders(port, number)
    try:
        yield senders
    finally:
        senders.close()
