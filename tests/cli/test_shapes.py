"""The shapes of `--json` are a promise to scripts: names and types may be added, never changed."""

import json
from pathlib import Path
from typing import Any

from onefold import demo
from tests.cli.conftest import Run

GOLDEN = Path(__file__).parents[1] / "golden" / "cli-shapes.json"
SENT = {"properties", "rule", "asked", "found"}
EVENT = '{"messageId":"1","timestamp":"2025-01-01T00:00:00Z","type":"page","anonymousId":"a"}'


def shape(value: Any) -> Any:
    """The names and types in an answer; of a list, what all its items have in common."""
    if isinstance(value, dict):
        return {name: "whatever was sent" if name in SENT else shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [merged([shape(item) for item in value])] if value else []
    return type(value).__name__


def merged(shapes: list[Any]) -> Any:
    """One shape for several: types joined by `|`."""
    if all(isinstance(one, dict) for one in shapes):
        names = dict.fromkeys(name for one in shapes for name in one)
        return {name: merged([one.get(name, "absent") for one in shapes]) for name in names}
    lists = [item for one in shapes if isinstance(one, list) for item in one]
    if all(isinstance(one, list) for one in shapes):
        return [merged(lists)] if lists else []
    texts = {one if isinstance(one, str) else json.dumps(one) for one in shapes}
    return "|".join(sorted(texts))


def test_the_shapes_of_answers_are_those_written_down(onefold: Run) -> None:
    store = ("--store", demo.STORE, "--json")
    couple = ("user_id:u-1002", "user_id:u-1003", "--reason", "r")
    rule = ("--rule", "holds: {namespace: email}")
    calls = {
        "demo": ("demo", "--story", "--no-serve", *store),
        "demo, the shop": ("demo", "--people", "40", "--no-serve", "--json"),
        "init": ("init", *store),
        "import": ("import", "-", *store),
        "resolve": ("resolve", "email:ann@example.com", "email:nobody@example.com", "email:nonsense", *store),
        "consent": ("consent", "user_id:u-1004", "marketing", "--given", *store),
        "consent, of two": ("consent", "phone:+44 20 7946 0182", "marketing", "--withdrawn", *store),
        "customer": ("customer", "user_id:u-1004", *store),
        "why, together": ("why", "user_id:u-1004", "phone:+44 20 7946 0182", *store),
        "why, apart": ("why", "user_id:u-1004", "email:hello@cafe-morrow.example", *store),
        "why, never seen": ("why", "user_id:u-1004", "user_id:nobody", *store),
        "search": ("search", "ann", *store),
        "judge": ("judge", "same", *couple, *store),
        "retract": ("retract", "jdg_0000000000001", "--reason", "r", *store),
        "customer, judged": ("customer", "user_id:u-1002", *store),
        "segment preview": ("segment", "preview", *rule, *store),
        "segment save": ("segment", "save", "all", *rule, *store),
        "segment list": ("segment", "list", *store),
        "segment show": ("segment", "show", "all", *store),
        "segment members": ("segment", "members", "all", *store),
        "segment why": ("segment", "why", "user_id:u-1004", "all", *store),
        "segment export": ("segment", "export", "all", "-o", "all.csv", *store),
        "segment delete": ("segment", "delete", "all", *store),
        "sql": ("sql", "SELECT * FROM traits LIMIT 1", *store),
        "sql, to a file": ("sql", "FROM traits", "--parquet", "traits.parquet", *store),
        "status": ("status", *store),
        "rejects": ("rejects", *store),
    }
    assert onefold("import", "-", *store, stdin="{").code == 3
    shapes = {name: shape(onefold(*arguments, stdin=EVENT).json) for name, arguments in calls.items()}
    assert shapes == json.loads(GOLDEN.read_text())
