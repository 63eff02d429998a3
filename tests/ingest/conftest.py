"""A real store, and what writes to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.model.traits import TraitRules
from onefold.stitch.rules import Rules
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import namespaces


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "onefold.db", namespaces(), TraitRules({}))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules(namespaces())
