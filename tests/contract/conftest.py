"""The stores that keep the contract: every test that takes `store` or `place` runs on each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.store.base import Store
from tests.contract.stores import KINDS, Place, place_of


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a store is, or will be."""
    return place_of(request.param, tmp_path, request)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A new store."""
    opened = place.open()
    yield opened
    opened.close()
