"""What SQLite says went wrong: a store that cannot be used is told apart from a mistake of ours."""

from pathlib import Path

import apsw
import pytest

from onefold.store.sqlite.open import open_sqlite
from tests.contract.building import Batch, at
from tests.contract.stores import NAMESPACES, TRAITS


def test_a_row_that_cannot_be_is_no_failure_of_the_store(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    with pytest.raises(apsw.ConstraintError), store.write() as transaction:  # noqa: PT012  # all of it is one write
        batch = Batch(transaction)
        twice = batch.customer("user_id:ann")
        batch.changes.new_customers.append(twice)
        transaction.apply(batch.changes, [], at(0))
    with store.read() as view:
        assert view.counts().identifiers == 0
    store.close()
