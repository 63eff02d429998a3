"""kill -9 under load: nothing that was acknowledged is lost, and nothing has to be repaired."""

from pathlib import Path

import pytest

from tests.support.crowd import crowd
from tests.support.load import Load, loading, resend
from tests.support.locks import is_locked
from tests.support.server import Server, serving, until
from tests.support.whole import check_store, stored_ids

KILLS = ("while it writes", "between writes", "while it writes", "between writes", "while it writes")


def kill_at_work(server: Server, load: Load, store: Path, moment: str) -> None:
    """Kill a server that has taken requests and not answered them; inside a write transaction, or outside of one."""

    def caught() -> bool:
        before = load.unanswered()
        server.pause()
        if load.unanswered() & before and is_locked(store) == (moment == "while it writes"):
            server.kill()
            return True
        server.go_on()
        return False

    cut = load.cut
    until(caught, f"a moment {moment}")
    until(lambda: load.cut > cut, "a sender sees its request cut off")


@pytest.mark.slow
def test_five_kills_under_load_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with loading(crowd(seed=1, people=100), tmp_path / "acknowledged") as load:
        for moment in KILLS:
            with serving(tmp_path) as server:
                load.send_to(server.port)
                load.more_acknowledged(150)
                kill_at_work(server, load, store, moment)
                load.send_to(None)
                assert server.complaints() == ""
            assert (tmp_path / "store.db-wal").stat().st_size > 0, "there is something that was not tidied up"
    with serving(tmp_path) as server:
        stored = stored_ids(store)
        assert len(stored) == len(set(stored))
        assert load.log() <= set(stored), "what was acknowledged is stored"
        check_store(store, load.sent)
        became = resend(server, load)
        assert {name for name, status in became.items() if status == "duplicate"} == set(stored)
        assert set(became.values()) <= {"duplicate", "accepted"}
        assert server.stop() == 0
        assert server.complaints() == ""
    assert set(stored_ids(store)) == load.sent.keys()
    stitched = check_store(store, load.sent)
    assert {reason.partition(":")[0] for reason in stitched.refusals.values()} >= {"generic", "limit"}
