"""onefold as people run it: processes of its own, with settings from variables, asked over HTTP."""

import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

SECONDS: Final = 180.0
"""After how long a test gives up waiting. Nothing ever waits that long unless it is broken."""
ONEFOLD: Final[tuple[str, ...]] = (str(Path(sysconfig.get_path("scripts")) / "onefold"),)

Found = TypeVar("Found")


def until(ask: Callable[[], Found | None], what: str, seconds: float = SECONDS) -> Found:
    """Ask again and again until the answer is true; fails after `seconds`, saying `what` did not come about."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.005)
    return found


def variables(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's variables, but of onefold's only those given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ONEFOLD_")}
    return own | {f"ONEFOLD_{name.upper()}": str(value) for name, value in settings.items()}


def run(
    folder: Path, *arguments: object, command: Sequence[str] = ONEFOLD, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run a command of onefold in a folder to its end."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        env=variables(settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


class Answer(NamedTuple):
    """An answer over HTTP; `said` is its body, read as JSON. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    said: Any


class Client:
    """A connection to onefold, which stays open between requests. It belongs to one thread."""

    def __init__(self, port: int, seconds: float = SECONDS) -> None:
        self.connection: Final = HTTPConnection("127.0.0.1", port, timeout=seconds)

    def send(self, method: str, path: str, body: object = None) -> None:
        """Send a request whole, and do not wait for its answer."""
        content = None if body is None else json.dumps(body).encode()
        self.connection.request(method, path, content, {"content-type": "application/json"})

    def receive(self) -> Answer:
        response = self.connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, json.loads(response.read()))

    def get(self, path: str) -> Answer:
        self.send("GET", path)
        return self.receive()

    def ingest(self, events: Sequence[Mapping[str, Any]]) -> Answer:
        """Events by the door of the SDKs."""
        self.send("POST", "/v1/batch", {"batch": events})
        return self.receive()

    def graphql(self, query: str, **given: Any) -> Any:
        """A GraphQL response: `data` and `errors`."""
        self.send("POST", "/graphql", {"query": query, "variables": given})
        answer = self.receive()
        assert answer.status == 200, answer
        return answer.said

    def close(self) -> None:
        self.connection.close()


class Server:
    """`onefold serve`, running. What it writes goes to files in its folder."""

    def __init__(self, folder: Path, store: str, command: Sequence[str], settings: Mapping[str, object]) -> None:
        number = len(list(folder.glob("serve-*.out")))
        self._out, self._err = folder / f"serve-{number}.out", folder / f"serve-{number}.err"
        arguments = [*command, "--json", "--store", store, "serve", "--port", str(settings.get("port", 0))]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process: Final = subprocess.Popen(
                arguments, cwd=folder, env=variables(settings), stdout=out, stderr=err
            )

    def wait(self) -> None:
        """Until it answers and says that it is ready."""
        url = until(self._announced, "the server says where it answers")
        self.port = int(url.rpartition(":")[2])
        until(self._ready, "the server is ready")

    def _announced(self) -> str | None:
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.complaints()}"
        said = self._out.read_text()
        return str(json.loads(said)["url"]) if said.endswith("}\n") else None

    def _ready(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/readyz").status == 200
        except (OSError, HTTPException):
            return False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A connection to it."""
        client = Client(self.port)
        try:
            yield client
        finally:
            client.close()

    def complaints(self) -> str:
        """What it wrote on standard error."""
        return self._err.read_text()

    def memory_mb(self) -> float:
        """How much memory it has now that is no file's: readers map the store's, where there is room. Linux only."""
        said = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(said.partition("RssAnon:")[2].split()[0]) / 1024

    def kill(self) -> None:
        """End it without notice (kill -9)."""
        self.process.kill()
        self.process.wait(SECONDS)

    def pause(self) -> None:
        """Have it do nothing at all until it goes on (kill -STOP)."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        """Undo `pause`."""
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Tell it to stop, as service managers do, and do not wait."""
        self.process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def stop(self, seconds: float = SECONDS) -> int:
        """Tell it to stop; -> what it ended with. Fails when it does not end within `seconds`."""
        self.terminate()
        return self.process.wait(seconds)


@contextmanager
def serving(
    folder: Path, store: str = "sqlite:///store.db", command: Sequence[str] = ONEFOLD, **settings: object
) -> Iterator[Server]:
    """A server that is ready, on a store that is named as seen from `folder`, and on any free port unless the settings
    say which. It does not outlive the block."""
    server = Server(folder, store, command, settings)
    try:
        server.wait()
        yield server
    finally:
        server.kill()
