"""Who asks nothing of a read model does not pay for one."""

import subprocess
import sys
from pathlib import Path

HEAVY = {"duckdb", "pyarrow"}


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The heavy modules that a command loads."""
    script = (
        "import sys; from onefold.wiring import main\n"
        f"try: main({[*arguments, '--store', 'sqlite:///shop.db']!r})\n"
        f"except SystemExit as ended: print(ended.code, *sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, cwd=folder
    )
    code, *found = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    return set(found)


def test_commands_that_read_the_store_load_no_duckdb(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(
        '{"type": "identify", "userId": "ann", "messageId": "1", "timestamp": "2026-03-01T09:30:00Z", '
        '"traits": {"email": "ann@shop.example"}}\n'
    )
    assert loaded(tmp_path, "import", "events.jsonl") == set()
    assert loaded(tmp_path, "resolve", "user_id:ann") == set()
    assert loaded(tmp_path, "search", "ann") == set()
    assert not (tmp_path / "shop.db.readmodel").exists()


def test_what_is_asked_in_sql_makes_a_file_beside_the_store(tmp_path: Path) -> None:
    assert loaded(tmp_path, "init") == set()
    assert loaded(tmp_path, "sql", "SELECT count(*) FROM customers") == HEAVY
    assert (tmp_path / "shop.db.readmodel" / "1.duckdb").exists()
