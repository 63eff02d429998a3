"""Read models of stores with something of everything in them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from onefold.model.traits import TraitRules
from onefold.readmodel.model import ReadModel
from onefold.readmodel.place import Place
from onefold.store.base import Store
from tests.contract.stores import NAMESPACES, TRAITS
from tests.support.read_models import check_level


@contextmanager
def reading(
    store: Store, folder: Path | None = None, rules: TraitRules = TRAITS, **place: object
) -> Iterator[ReadModel]:
    """A read model, closed at the end."""
    made = ReadModel(store, Place(folder=folder, threads=1, **place), NAMESPACES, rules)  # type: ignore[arg-type]
    with closing(made):
        yield made


def check(model: ReadModel, store: Store, rules: TraitRules = TRAITS) -> None:
    """It is level with its store."""
    with model.ask() as asking, store.read() as view:
        check_level(asking, view, NAMESPACES, rules)


def count(model: ReadModel, table: str = "touchpoints", max_staleness_ms: int = 0) -> int:
    with model.ask(max_staleness_ms) as asking:
        [[found]] = asking.rows(f"SELECT count(*) FROM internal.{table}")
    return int(found)
