"""Whatever has happened to a store: its copy has the same rows, however often it was stopped, and goes on alike."""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.ingest.commit import commit_batch
from onefold.ingest.decode import Decoded
from onefold.model.copying import Origin, Progress, Row
from onefold.model.namespaces import Namespaces
from onefold.service import judging
from onefold.service.copying import copy
from onefold.service.judging import Verdict
from onefold.stitch.rules import Rules
from onefold.store.base import CopyTarget, Store
from onefold.store.sqlite.open import open_sqlite, open_sqlite_target
from tests.oracle.evidence import Event, Evidence
from tests.property.playing import Turn, key_of, namespaces_of
from tests.property.shown import TRAIT_RULES, Look, stored_event
from tests.property.strategies import START_MS, History, Judge, histories
from tests.support.filled import all_rows

MOST_EXAMPLES = 1_000
SHARE = 5
"""One example takes as long as several of those that write no files."""


class KilledError(Exception):
    """The process that copies is gone."""


class Mortal:
    """A target whose process dies after so many transactions."""

    def __init__(self, target: CopyTarget, transactions: int) -> None:
        self.target, self.left = target, transactions
        self.origin, self.rows, self.progress = target.origin, target.rows, target.progress
        self.describe, self.close = target.describe, target.close

    def _age(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError

    def begin(self, origin: Origin) -> Progress:
        self._age()
        return self.target.begin(origin)

    def take(self, rows: list[Row], before: Progress, after: Progress) -> None:
        self._age()
        self.target.take(rows, before, after)

    def complete(self, progress: Progress) -> None:
        self._age()
        self.target.complete(progress)


class Played:
    """A store to which a history happens."""

    def __init__(self, store: Store, rules: Rules, history: History) -> None:
        self.store, self.rules = store, rules
        self._evidence = Evidence(history.rules, history.size_limit)

    def play(self, turns: Sequence[Turn], standing: dict[Judge, int]) -> None:
        """`standing`: the judgements that may be taken back, with their numbers."""
        for turn in turns:
            if isinstance(turn, Judge):
                ends = (key_of(turn.a), key_of(turn.b))
                judged = judging.judge(self.store, self.rules, Verdict(turn.verdict == "same", ends, "ann", "so"))
                if judged.number is not None:
                    standing[turn] = judged.number
            elif isinstance(turn, list):
                commit_batch(self.store, self.rules, self._decoded(turn), START_MS)
            elif (number := standing.pop(Judge(*turn), None)) is not None:
                judging.retract(self.store, self.rules, number, "bob", "a slip")

    def _decoded(self, events: Sequence[Event]) -> list[Decoded]:
        """Those that pass the door: what has no identifier but operators does not."""
        evidence = self._evidence
        return [Decoded(stored_event(event, evidence), (), b"{}") for event in events if evidence.linking(event)]


def survive(source: Store, path: Path, namespaces: Namespaces, lives: Sequence[int], page_rows: int) -> None:
    """Copy in several processes, all of which but the last die."""
    for transactions in (*lives, 1_000_000):
        with closing(open_sqlite_target(path, namespaces, TRAIT_RULES)) as target:
            try:
                copy(source, Mortal(target, transactions), lambda _: None, page_rows)
            except KilledError:
                continue
            return


@pytest.mark.slow
@settings(max_examples=min(settings().max_examples // SHARE, MOST_EXAMPLES))
@given(
    history=histories(),
    share=st.integers(0, 4),
    lives=st.lists(st.integers(0, 12), max_size=4),
    page_rows=st.sampled_from((3, 50)),
)
def test_a_copy_cannot_be_told_from_its_source(history: History, share: int, lives: list[int], page_rows: int) -> None:
    rules = Rules(namespaces_of(history.rules), history.size_limit)
    turns = history.batches()
    before = len(turns) * share // 4
    standing: dict[Judge, int] = {}
    with (
        tempfile.TemporaryDirectory(prefix="onefold-") as folder,
        patch.object(judging, "now_ms", lambda: START_MS),
        closing(open_sqlite(Path(folder) / "source.db", rules.namespaces, TRAIT_RULES)) as source,
    ):
        Played(source, rules, history).play(turns[:before], standing)
        survive(source, Path(folder) / "copy.db", rules.namespaces, lives, page_rows)
        with closing(open_sqlite(Path(folder) / "copy.db", rules.namespaces, TRAIT_RULES)) as copied:
            assert shown(copied, rules) == shown(source, rules)
            for store in (source, copied):
                Played(store, rules, history).play(turns[before:], dict(standing))
            assert shown(copied, rules) == shown(source, rules)


def shown(store: Store, rules: Rules) -> tuple[object, ...]:
    """All rows, and what doors show of them."""
    with store.read() as view:
        look = Look(view, rules, store.secret)
        look.check_ways_in()
        return all_rows(view), look.shown()
