"""What every test shares: the Neo4j server, and the Hypothesis profile, chosen by ONEFOLD_HYPOTHESIS_PROFILE.

`quick` and `ci` draw the same cases every time, so that a red run is red again; `nightly` draws new ones and prints the
blob that reproduces a failure.
"""

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.glances import Glanced

settings.register_profile("quick", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=300, derandomize=True, deadline=None)
settings.register_profile(
    "nightly",
    max_examples=20_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is where tests are run in the background; but what they start is to be interrupted by them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.load_profile(os.environ.get("ONEFOLD_HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def neo4j_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database that tests may empty. There is one, so whoever uses it has the mark `neo4j`."""
    from tests.support.neo4j_server import database

    with database(tmp_path_factory.mktemp("neo4j")) as url:
        yield url


@pytest.fixture
def neo4j_url(neo4j_database: str) -> str:
    """The URL of a new store in Neo4j."""
    from tests.support.neo4j_server import wiped

    return wiped(neo4j_database)


@pytest.fixture(params=[True, False], ids=["earliest", "meanwhile"])
def glanced(request: pytest.FixtureRequest) -> "Iterator[Glanced]":
    """Transactions on Neo4j read early what the next needs, however small batches are; counted."""
    from tests.support.glances import glancing

    with glancing(earliest=request.param) as counted:
        yield counted
