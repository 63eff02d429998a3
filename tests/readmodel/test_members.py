"""The view of segments says who is in them as the store does, after everything that may happen to members."""

from pathlib import Path
from typing import Any

import pytest

from onefold.errors import Problem
from onefold.model.saved import SegmentDraft
from onefold.readmodel import members
from onefold.service import Onefold
from tests.api.graphql_shop import Shop, event, opened
from tests.contract.stores import KINDS, Place, place_of

IDENTIFIED = '{"holds": {"namespace": "user_id"}}'
ANONYMOUS = '{"not": {"holds": {"namespace": "user_id"}}}'


def shown(onefold: Onefold) -> set[tuple[str, str]]:
    with onefold.ask(members=True) as asking:
        return {(name, value) for name, value in asking.rows("SELECT name, customer_id FROM main.segments")}


def kept(onefold: Onefold) -> set[tuple[str, str]]:
    with onefold.read(hold=True) as reading:
        rows = reading.view.segments()
        found = reading.view.segment_members([row.number for row in rows], 1_000)
        ids = reading.identifiers({one.anchor for each in found.values() for one in each})
        return {
            (row.name, ids[one.anchor].public_id.replace("idn_", "cus_"))
            for row in rows
            for one in found.get(row.number, [])
        }


def save(onefold: Onefold, name: str, rule: str, id: str | None = None) -> str:  # noqa: A002
    saved = onefold.save_segment(SegmentDraft(name, rule), id)
    assert not isinstance(saved, Problem)
    return saved.public_id


@pytest.mark.parametrize("page", [2, members.PAGE])
@pytest.mark.parametrize("kind", KINDS)
def test_it_follows_who_comes_and_goes(
    kind: str, page: int, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "PAGE", page)
    place: Place = place_of(kind, tmp_path, request)
    with opened(place) as shop:
        onefold = shop.onefold
        assert shown(onefold) == set()
        shop.send(*(event(f"m{n}", n, f"anonymous_id:x{n}") for n in range(5)), event("u", 9, "user_id:ann"))
        known, unknown = save(onefold, "known", IDENTIFIED), save(onefold, "unknown", ANONYMOUS)
        steps: list[Any] = [
            lambda: shop.send(event("l0", 20, "anonymous_id:x0", "user_id:ann")),
            lambda: shop.send(event("l1", 21, "anonymous_id:x1", "user_id:ben")),
            lambda: shop.judge("DIFFERENT", "anonymous_id:x0", "user_id:ann"),
            lambda: save(onefold, "of all kinds", IDENTIFIED, unknown),
            lambda: save(onefold, "unknown", ANONYMOUS),
            lambda: onefold.delete_segment(known),
            lambda: shop.judge("SAME", "anonymous_id:x2", "anonymous_id:x3"),
        ]
        assert len(kept(onefold)) == 6
        for step in steps:
            assert shown(onefold) == kept(onefold)
            step()
            onefold.keep_now()
        assert shown(onefold) == kept(onefold)
        assert {name for name, _ in shown(onefold)} == {"of all kinds", "unknown"}


def test_a_read_model_that_is_made_anew_reads_the_whole_log(tmp_path: Path) -> None:
    place = Place("sqlite", tmp_path)
    with opened(place) as shop:
        fill(shop)
        assert len(shown(shop.onefold)) == 3
    with opened(place) as again:
        assert shown(again.onefold) == kept(again.onefold)
        assert len(shown(again.onefold)) == 3


def fill(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, f"user_id:u{n}") for n in range(3)))
    save(shop.onefold, "known", IDENTIFIED)
