"""`onefold sql`: questions to six views, and to nothing else."""

import json
from pathlib import Path
from time import monotonic

import pytest
from pyarrow import parquet

from onefold.analytics.sql import VIEWS
from tests.cli.conftest import Run


def test_an_answer_is_a_table_csv_json_or_parquet(told: Run, tmp_path: Path) -> None:
    columns = "happened_at, name, revenue, properties, false AS no"
    asked = f"SELECT {columns} FROM touchpoints WHERE revenue > 100 ORDER BY 1 LIMIT 1"
    table = told("sql", asked).out.splitlines()
    assert table[0].split() == ["happened_at", "name", "revenue", "properties", "no"]
    assert table[1].startswith("2025-03-08T18:06:29.000Z  Order Completed      124")
    line = (
        '2025-03-08T18:06:29.000Z,Order Completed,124,"{""order_id"":""A-3417"",""total"":124.0,""currency"":""GBP""}"'
    )
    assert told("sql", asked, "--csv").out.splitlines()[1] == f"{line},false"
    assert told("sql", asked, "--json").json == [
        {
            "happened_at": "2025-03-08T18:06:29.000Z",
            "name": "Order Completed",
            "revenue": "124",
            "properties": {"order_id": "A-3417", "total": 124.0, "currency": "GBP"},
            "no": False,
        }
    ]
    file = tmp_path / "answer.parquet"
    assert told("sql", asked, "--parquet", str(file), "--json").json == {"out": str(file), "rows": 1}
    written = parquet.read_table(file)
    assert str(written.schema.field("happened_at").type) == "timestamp[us, tz=UTC]"
    again = told("sql", asked, "--parquet", str(file), "--json")
    assert (again.code, again.error["code"]) == (2, "call.invalid")


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_can_be_asked(told: Run, view: str) -> None:
    assert told("sql", f"SELECT count(*) AS count FROM {view}", "--json").json[0]["count"] >= 0
    assert told("sql", f"SUMMARIZE main.{view}").code == 0


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT * FROM customers c JOIN identifiers i ON i.customer_id = c.id",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
        "WITH mine AS MATERIALIZED (FROM traits) SELECT count(*) FROM mine; -- a word about it",
        "WITH Mine AS (FROM traits) FROM mIne",
        "FROM (PIVOT touchpoints ON channel IN ('web', 'app') USING count(*) GROUP BY type)",
        "SELECT unnest([1, 2]) UNION SELECT * FROM range(3)",
        "SELECT list_transform([1], lambda x: x + 1), [y FOR y IN [1, 2]], (SELECT max(happened_at) FROM touchpoints)",
        "SELECT key, value FROM touchpoints, json_each(properties)",
        "VALUES (1), (2)",
        "SELECT 'FROM internal.claims; DROP TABLE x' AS text",
    ],
)
def test_what_only_reads_views_is_let_through(told: Run, asked: str) -> None:
    ended = told("sql", asked, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert isinstance(ended.json, list)


@pytest.mark.parametrize(
    "asked",
    [
        " ",
        "/* nothing */",
        "selct 1",
        "SELECT 1; SELECT 2",
        "SELECT * FROM internal.claims",
        "SELECT (SELECT max(number) FROM internal.touchpoints)",
        "SELECT * FROM memory.main.customers",
        "SELECT * FROM customers WHERE id IN (TABLE internal.claims)",
        "WITH a AS (FROM internal.claims) FROM a",
        "FROM duckdb_tables()",
        "FROM information_schema.tables",
        "FROM sqlite_master",
        "SELECT * FROM (WITH sqlite_master AS (SELECT 1) SELECT 1), sqlite_master",
        "WITH Duckdb_tables AS (SELECT 1) FROM DUCKDB_tables",
        "SELECT * REPLACE ('' AS sqlite_master) FROM sqlite_master",
        "SELECT json_serialize_plan('FROM internal.claims')",
        "FROM 'secret.csv'",
        "FROM 'https://example.com/x.parquet'",
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "FROM glob('/*')",
        "FROM query('FROM internal.claims')",
        "FROM query_table('internal.claims')",
        "FROM pragma_table_info('internal.claims')",
        "DESCRIBE internal.claims",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "PRAGMA database_list",
        "CREATE TABLE x AS FROM customers",
        "CREATE OR REPLACE VIEW customers AS SELECT 1",
        "INSERT INTO internal.meta VALUES ('a', 'b')",
        "UPDATE internal.meta SET value = '0'",
        "DELETE FROM internal.claims",
        "WITH a AS (DELETE FROM internal.claims RETURNING *) SELECT * FROM customers",
        "WITH a AS (INSERT INTO customers VALUES (1) RETURNING *) FROM a",
        "DROP VIEW customers",
        "COPY customers TO 'out.csv'",
        "EXPORT DATABASE 'out'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "SET enable_external_access = true",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
        "BEGIN",
        "CHECKPOINT",
        "SELECT nextval('x')",
        "SELECT write_log('x')",
        "SELECT sleep_ms(100)",
        "SELECT nothing FROM customers",
        "SELECT $1",
        "SELECT " + "(" * 2_000 + "1" + ")" * 2_000,
        "SELECT '" + "x" * 100_001 + "'",
    ],
    ids=lambda asked: asked[:60],
)
def test_everything_else_is_refused_and_nothing_is_changed(told: Run, asked: str) -> None:
    refused = told("sql", asked, "--json")
    assert (refused.code, refused.error["code"]) == (3, "sql.invalid")
    assert "\n" not in refused.error["message"]
    if "customers" in asked:
        assert told("sql", "SELECT count(*) AS n FROM customers", "--json").json == [{"n": 5}]


def test_what_would_write_is_not_even_tried(told: Run) -> None:
    refused = told("sql", "WITH a AS (DELETE FROM customers RETURNING *) SELECT 1", "--json").error
    assert refused["message"] == "this does something else than to ask"


def test_a_hint_says_what_may_have_been_meant(told: Run) -> None:
    assert told("sql", "FROM custmers", "--json").error["hint"].startswith("Did you mean customers?")
    assert "anonymous" in told("sql", "SELECT anonymus FROM customers", "--json").error["hint"]


def test_a_question_takes_no_longer_than_it_may(told: Run) -> None:
    started = monotonic()
    stopped = told("sql", "SELECT count(*) FROM range(100000000000) a, range(100000) b", "--seconds", "0.3", "--json")
    assert (stopped.code, stopped.error["code"]) == (3, "sql.exhausted")
    assert monotonic() - started < 20
    for wrong in ("0", "-1", "4000"):
        assert told("sql", "SELECT 1", "--seconds", wrong, "--json").error["code"] == "call.invalid"


@pytest.mark.parametrize("form", ["--csv", "--json", "--parquet=large.parquet"])
def test_an_answer_that_is_being_written_is_broken_off_too(form: str, told: Run, tmp_path: Path) -> None:
    stopped = told("sql", "SELECT range AS n FROM range(100000000000)", "--seconds", "0.3", form)
    assert stopped.code == 3
    assert "the question took longer than 0.3 seconds" in stopped.err
    assert not list(tmp_path.glob("large*"))


def test_a_mistake_in_a_late_row_is_a_mistake_of_the_question(told: Run) -> None:
    asked = "SELECT CASE WHEN range < 500000 THEN range ELSE ('x' || range)::INT END AS n FROM range(600000)"
    stopped = told("sql", asked, "--csv")
    assert stopped.code == 3
    assert "could not convert string 'x500000' to INT32" in stopped.err


def test_a_question_takes_no_more_memory_than_it_may(onefold: Run) -> None:
    variables = {"ONEFOLD_READ_MODEL": "memory", "ONEFOLD_READ_MODEL_MEMORY": "64MB"}
    assert onefold("init").code == 0
    asked = "SELECT list(i ORDER BY i % 7) FROM range(50000000) t(i)"
    stopped = onefold("sql", asked, "--json", variables=variables)
    assert (stopped.code, stopped.error["code"]) == (3, "sql.exhausted")
    assert "read_model_memory" in stopped.error["hint"]


def test_an_answer_holds_what_was_taken_in_before_and_who_is_in_segments(onefold: Run) -> None:
    def ask(asked: str) -> object:
        return onefold("sql", asked, "--json").json

    def take_in(message: str, **event: object) -> None:
        said = {"type": "track", "event": "Visit", "messageId": message, "timestamp": "2025-05-02T00:00:00Z", **event}
        assert onefold("import", "-", stdin=json.dumps(said)).code == 0

    take_in("1", anonymousId="x")
    assert ask("SELECT anonymous FROM customers") == [{"anonymous": True}]
    take_in("2", anonymousId="x", userId="ann")
    assert ask("SELECT count(*) AS n FROM touchpoints JOIN customers c ON c.id = customer_id WHERE NOT anonymous") == [
        {"n": 2}
    ]
    assert onefold("segment", "save", "all", "--rule", "{holds: {namespace: user_id}}").code == 0
    take_in("3", userId="ben")
    assert onefold("segment", "list").code == 0
    members = ask(
        "SELECT g.name, i.value FROM segments g JOIN identifiers i USING (customer_id) WHERE namespace = 'user_id' "
        "ORDER BY ALL"
    )
    assert members == [{"name": "all", "value": "ann"}, {"name": "all", "value": "ben"}]
    assert onefold("segment", "delete", "all").code == 0
    assert ask("FROM segments") == []


def test_odd_values_have_a_form_in_every_answer(told: Run) -> None:
    asked = (
        "SELECT NULL AS n, true AS b, 'a' || chr(27) || 'b' AS t, [1, 2] AS l, {'k': 1.50::DECIMAL(9, 2)} AS s, "
        "DATE '2025-01-02' AS d, INTERVAL 26 HOUR AS i, 'ab'::BLOB AS y, 1 AS n"
    )
    assert told("sql", asked, "--json").json == [
        {
            "n": None,
            "b": True,
            "t": "a\x1bb",
            "l": [1, 2],
            "s": {"k": "1.5"},
            "d": "2025-01-02",
            "i": "26:00:00",
            "y": "6162",
            "n_2": 1,
        }
    ]
    assert (
        told("sql", asked, "--csv").out.splitlines()[1]
        == ',true,a\x1bb,"[1,2]","{""k"":""1.5""}",2025-01-02,26:00:00,6162,1'
    )
    assert "a\\x1bb" in told("sql", asked).out
    refused = told("sql", "SELECT INTERVAL 1 DAY AS i", "--parquet", "odd.parquet", "--json")
    assert refused.error["code"] == "sql.invalid"
    assert told("sql", "SELECT 1 WHERE false").out == "no rows\n"
    assert "at most 1,000 rows" in told("sql", "FROM range(1001)").out.splitlines()[-1]


def test_two_forms_at_once_are_a_wrong_call(told: Run) -> None:
    assert told("sql", "SELECT 1", "--csv", "--json").error["code"] == "call.invalid"
    assert told("sql", "SELECT 1", "--csv", "--parquet", "x.parquet").code == 2
