"""What is asked over HTTP is answered alike from every kind of store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.graphql_shop import Shop, opened
from tests.contract.stores import KINDS, Place, place_of


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a store will be."""
    return place_of(request.param, tmp_path, request)


@pytest.fixture
def shop(place: Place) -> Iterator[Shop]:
    """A shop whose store is new."""
    with opened(place) as shop:
        yield shop
