"""The client that pages use for subscriptions, `graphql-ws`, unmodified, follows who enters a segment."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.wiring import build
from tests.sdk.packages import packages
from tests.support.keyed import SHOP, secret_of
from tests.support.server import SECONDS, serving, until
from tests.support.tools import needed

pytestmark = pytest.mark.slow

FOLLOW = """subscription ($segment: ID!, $after: Seq) {
    segmentMembership(segment: $segment, after: $after) {
        seq entered cause customer { identifiers { edges { node { value } } } }
    }
}"""
RULE = {"did": {"touchpoint": {"names": ["Ordered"]}}}


class Following:
    """A process that follows. `said`: what it has printed so far."""

    def __init__(self, process: "subprocess.Popen[str]", out: Path) -> None:
        self.process = process
        self._out = out

    @property
    def said(self) -> list[Any]:
        return [json.loads(line) for line in self._out.read_text().splitlines()]

    @property
    def told(self) -> list[Any]:
        """The lines of the log that it was told."""
        return [it["data"]["segmentMembership"] for it in self.said if "data" in it]


@contextmanager
def following(
    folder: Path, port: int, segment: str, key: str | None, most: int, retries: int = 0
) -> Iterator[Following]:
    """It ends by itself when it has been told `most` lines, or has failed once more often than it retries."""
    given = {"url": f"ws://127.0.0.1:{port}/graphql", "key": key, "query": FOLLOW, "segment": segment, "most": most}
    out = folder / f"follow-{len(list(folder.glob('follow-*')))}"
    command = [needed("node", "apt-get install nodejs npm"), str(packages().parent / "follow.mjs")]
    with out.open("w") as written:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=written, text=True)
    stdin: IO[str] | None = process.stdin
    assert stdin is not None
    stdin.write(json.dumps(given | {"retries": retries}))
    stdin.close()
    try:
        yield Following(process, out)
    finally:
        process.kill()
        process.wait(SECONDS)


def saved(folder: Path) -> str:
    """The id of a segment, in a store that nobody serves yet."""
    with build(Settings(store=f"sqlite:///{folder}/store.db", read_model="memory")) as onefold:
        return save(onefold).public_id


def save(onefold: Onefold) -> SavedSegment:
    segment = onefold.save_segment(SegmentDraft("ordered", json.dumps(RULE)), allow_unknown=True)
    assert isinstance(segment, SavedSegment), segment
    return segment


def order(who: str) -> dict[str, Any]:
    return {"type": "track", "event": "Ordered", "userId": who, "messageId": f"order of {who}"}


def test_it_is_told_as_things_happen_and_goes_on_where_it_was_when_the_server_was_away(tmp_path: Path) -> None:
    segment = saved(tmp_path)
    with serving(tmp_path, read_model="memory") as server, server.client() as client:
        port = server.port
        with following(tmp_path, port, segment, None, most=2, retries=600) as follower:
            client.ingest([order("ann")])
            until(lambda: follower.told, "the first is told")
            assert server.stop() == 0
            assert [it["closed"] for it in follower.said if "closed" in it][:1] == [1001]
            with serving(tmp_path, read_model="memory", port=port) as again, again.client() as client_again:
                client_again.ingest([order("bob")])
                until(lambda: len(follower.told) == 2, "the second is told")
            assert follower.process.wait(SECONDS) == 0
    values = [[edge["node"]["value"] for edge in it["customer"]["identifiers"]["edges"]] for it in follower.told]
    assert values == [["ann"], ["bob"]]
    assert [(it["entered"], it["cause"]) for it in follower.told] == [(True, "EVENT")] * 2


def test_without_its_key_it_is_turned_away(tmp_path: Path) -> None:
    segment = saved(tmp_path)
    keys = json.dumps([{"name": SHOP.name, "hash": SHOP.hash, "trust": "server", "scopes": ["track", "read"]}])
    with serving(tmp_path, read_model="memory", keys=keys) as server:
        with following(tmp_path, server.port, segment, "wrong", most=1) as follower:
            assert follower.process.wait(SECONDS) == 0
            assert {"error": 4403} in follower.said
        with following(tmp_path, server.port, "seg_0000000000009", secret_of("shop"), most=1) as follower:
            assert follower.process.wait(SECONDS) == 0
            assert "segment.not_found" in json.dumps(follower.said)
