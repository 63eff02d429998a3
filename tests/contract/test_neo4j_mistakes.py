"""Both stores keep the same of the same events, row by row; and every seeded mistake in what Neo4j is told is found."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from onefold.model.copying import COLUMNS, Row, RowKind
from onefold.store.base import Store
from onefold.store.neo4j import store as opened
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.neo4j.writing import answers, consents, transaction
from onefold.store.sqlite.open import open_sqlite
from tests.contract import test_needs
from tests.contract.stores import NAMESPACES, TRAITS
from tests.contract.test_neo4j_graph import said_otherwise
from tests.support.filled import all_rows, fill, odd
from tests.support.neo4j_server import ask, wiped

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

EVENTS = 160
FREE = {
    RowKind.CLAIMS: {"number"},
    RowKind.JUDGEMENTS: {"at_ms", "retracted_ms"},
    RowKind.DECISIONS: {"seq", "at_ms"},
    RowKind.CHANGES: {"seq"},
    RowKind.COMMITS: {"at_ms"},
}
"""Columns that need not be the same."""
TOLD: tuple[ModuleType, ...] = (transaction, consents, answers, opened)
"""Who tells Neo4j."""


class Mistake(NamedTuple):
    """`text` becomes `changed` wherever Neo4j is told it."""

    name: str
    text: str
    changed: str


MISTAKES = (
    Mistake("an identifier that moves keeps the number of its customer", " SET i.customer = r[1]", ""),
    Mistake("an identifier that moves is held by both", "DELETE h CREATE", "CREATE"),
    Mistake("a customer that nobody belongs to any more stays", "DETACH DELETE c", "SET c.gone = true"),
    Mistake("a customer keeps the id of the anchor it had", "SET c.id = 'cus_' + substring(i.id, 4)", "SET c.old = 1"),
    Mistake("what follows from a customer's identifiers is not kept", ", c.whole = r[6]", ""),
    Mistake("a link that is decided anew keeps its mark", "SET l.mark = r[1], l.rank", "SET l.rank"),
    Mistake("a link seen again is not counted", "USING INDEX SEEK l:LINKED(pair) SET l.sources", "WHERE 1 = 2 SET l.s"),
    Mistake("links are found at one end only", "RETURN below + above", "RETURN below"),
    Mistake("refused links count as such that stand", "l.mark = 0", "l.mark >= 0"),
    Mistake("what is generic counts as broken", "l.mark > 1", "l.mark > 0"),
    Mistake("a page of refused links begins at the next rank", "l.rank >= $p.low", "l.rank > $p.low"),
    Mistake("pages of refused links overlap", "l.pair > $p.after", "l.pair >= $p.after"),
    Mistake("what is read ahead knows links one way", ", b * 4294967296 + a]", "]"),
    Mistake("judgements count for the first they name", "RETURN named_first + named_second", "RETURN named_first"),
    Mistake("judgements that were taken back stand", "WHERE j.retracted_ms IS NULL", ""),
    Mistake("a touchpoint has the subjects it had, too", "DELETE b CREATE", "CREATE"),
    Mistake("a touchpoint keeps the number of its subject", " SET t.subject = r[1]", ""),
    Mistake("operators took part in a touchpoint", " WHERE i > 0", ""),
    Mistake("an operator was seen first when seen last", "WHEN r[1] < i.first_ms", "WHEN r[1] > i.first_ms"),
    Mistake("a claim was said first when said last", "WHEN r[6] < known.first_ms", "WHEN r[6] > known.first_ms"),
    Mistake("one value less is kept", "SKIP 50", "SKIP 49"),
    Mistake("the newest values are dropped", "ORDER BY c.last_ms DESC", "ORDER BY c.last_ms"),
    Mistake("who said the newest word is not noted", "c.at_ms = r[2], c.source = r[3]", "c.at_ms = r[2]"),
    Mistake("a consent says what it said first", "SET c.given = r[1], ", "SET "),
    Mistake(
        "what was agreed to before is not looked at", "collect([c.number, n, c.purpose,", "collect([-1, -1, c.purpose,"
    ),
    Mistake("who is generic is not labelled so", "SET i:Generic", "SET i.shared = true"),
    Mistake("decisions concern the ends of their link only", "UNWIND r[10] AS n", "UNWIND r[6] AS n"),
    Mistake("the head stays where it is", "SET m += head.state", "SET m.lock = 1"),
)


class Kept(NamedTuple):
    """A store's secret, and what SQLite keeps of the events."""

    secret: bytes
    rows: dict[RowKind, list[Row]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder: Path = tmp_path_factory.mktemp("kept")
    with closing(open_sqlite(folder / "store.db", NAMESPACES, TRAITS)) as store:
        return Kept(store.secret, filled(store))


def filled(store: Store) -> dict[RowKind, list[Row]]:
    """Rows of a store that is filled, but for what follows from the clock or from the order in which equals are taken,
    and for the numbers of claims, which may have gaps."""
    filler = fill(store, NAMESPACES, EVENTS)
    filler.judge("same", "user_id:user 2", "user_id:user 5")
    staff = [{"namespace": "staff_id", "value": "clerk 7"}]
    filler.send(
        [odd(200 + day, userId="user 2", identifiers=staff, timestamp=f"2026-03-0{day}T08:00:00Z") for day in (1, 3)]
    )
    with store.read() as view:
        return {kind: sorted((without(kind, row) for row in rows), key=repr) for kind, rows in all_rows(view).items()}


def without(kind: RowKind, row: Row) -> Row:
    free = FREE.get(kind, set())
    return tuple(value for name, value in zip(COLUMNS[kind], row, strict=True) if name not in free)


def anew(url: str, secret: bytes) -> Store:
    """A new store in Neo4j with a secret that is told."""
    ask(wiped(url), "MATCH (m:Meta {name: 'store'}) SET m.secret = $p.secret", secret=secret)
    return open_neo4j(address_of(url), NAMESPACES, TRAITS)


def check_needs(url: str, kept: Kept) -> None:
    """Fails unless Neo4j answers what stitching asks."""
    for test in NEEDS:
        with closing(anew(url, kept.secret)) as store:
            test(store)
    assert not said_otherwise(url) & {"BY", "one BY"}


def check_rows(url: str, kept: Kept) -> None:
    """Fails unless Neo4j keeps the same as SQLite, and says it alike where it says it twice."""
    with closing(anew(url, kept.secret)) as store:
        found = filled(store)
        for kind in RowKind:
            assert found[kind] == kept.rows[kind], kind
    assert said_otherwise(url) == set()


NEEDS: list[Callable[[Store], None]] = [
    test_needs.test_links_are_found_at_both_ends,
    test_needs.test_refused_links_above_come_in_order_and_in_pages,
    test_needs.test_judged_classes_and_judgements,
    test_needs.test_a_judgement_taken_back_stands_no_more,
    test_needs.test_touchpoints_by_subject_name_no_operators,
    test_needs.test_touchpoints_may_get_another_subject,
]


def test_without_a_mistake_both_stores_keep_the_same(neo4j_database: str, kept: Kept) -> None:
    check_needs(neo4j_database, kept)
    check_rows(neo4j_database, kept)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found(mistake: Mistake, neo4j_database: str, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [module for module in TOLD if make(monkeypatch, module, mistake)]
    assert made, f"nowhere is Neo4j told {mistake.text!r}"
    checks = (check_rows, check_needs) if made[0] is transaction else (check_needs, check_rows)
    assert not all(holds(check, neo4j_database, kept) for check in checks), f"nobody noticed that {mistake.name}"


def holds(check: Callable[[str, Kept], None], url: str, kept: Kept) -> bool:
    """Whether a check finds nothing wrong; a mistake may well end in an error of any kind."""
    try:
        check(url, kept)
    except Exception:  # noqa: BLE001
        return False
    return True


def make(monkeypatch: pytest.MonkeyPatch, module: ModuleType, mistake: Mistake) -> bool:
    """Change every statement of a module that says so; -> whether there was one."""
    told: dict[str, Any] = {name: said for name, said in vars(module).items() if isinstance(said, str)}
    wrong = {name: said for name, said in told.items() if name.isupper() and mistake.text in said}
    for name, said in wrong.items():
        monkeypatch.setattr(module, name, said.replace(mistake.text, mistake.changed))
    return bool(wrong)
