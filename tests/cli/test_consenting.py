"""onefold consent, and what onefold customer shows of it."""

from tests.cli.conftest import Run

ANN = "email:ann@example.com"


def test_what_is_recorded_counts_and_is_shown_with_the_customer(onefold: Run) -> None:
    onefold("init")
    given = onefold("consent", ANN, "marketing", "--given", "--at", "2026-03-01T10:00:00Z", "--reason", "the till")
    assert given.out == f"marketing is given, as of 2026-03-01 10:00: {ANN} by local\n"
    assert onefold("consent", ANN, "marketing", "--withdrawn", "--at", "2026-03-02").code == 0
    older = onefold("consent", ANN, "marketing", "--given", "--at", "2026-03-01")
    assert older.out.endswith(f": {ANN} by local (that is newer than what was recorded)\n")
    assert older.out.startswith("marketing is withdrawn, as of 2026-03-02 00:00")
    assert onefold("consent", ANN, "news", "--given").code == 0
    shown = onefold("customer", ANN).out
    part = shown.split("What was agreed to\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[:3] for line in part[1:]] == [["marketing", "withdrawn", ANN], ["news", "given", ANN]]
    found = onefold("customer", ANN, "--json").json
    assert [(row["purpose"], row["given"]) for row in found["consents"]] == [("marketing", False), ("news", True)]
    assert {row["properties"].get("reason") for row in found["journey"]["items"]} == {"the till", None}


def test_what_is_said_is_one_of_two(onefold: Run) -> None:
    onefold("init")
    for said in ((), ("--given", "--withdrawn"), ("--withdrawn", "--given")):
        refused = onefold("consent", ANN, "marketing", *said, "--json")
        assert (refused.code, refused.error["code"], refused.error["field"]) == (2, "call.invalid", "given")
    assert onefold("status", "--json").json["touchpoints"] == 0


def test_the_same_again_changes_nothing(onefold: Run) -> None:
    onefold("init")
    calls = [onefold("consent", ANN, "marketing", "--given", "--at", "2026-03-01", "--json") for _ in range(2)]
    assert calls[0].json == calls[1].json
    assert calls[0].json == {
        "purpose": "marketing", "given": True, "at": "2026-03-01T00:00:00.000Z", "source": "local", "trusted": True,
        "identifier": {"namespace": "email", "value": "ann@example.com"}, "others": [],
    }  # fmt: skip
    assert onefold("status", "--json").json["touchpoints"] == 1


def test_a_customer_of_whom_nothing_was_said_has_none(told: Run) -> None:
    assert "What was agreed to" not in told("customer", ANN).out
    assert told("customer", ANN, "--json").json["consents"] == []


def test_a_wrong_call_says_what_is_wrong(onefold: Run) -> None:
    onefold("init")
    for arguments, code, field in (
        ((ANN, "marketing", "--given", "--at", "yesterday"), "call.invalid", "at"),
        ((ANN, " ", "--given"), "query.invalid", "purpose"),
        ((ANN, "marketing", "--given", "--at", "1969-01-01"), "event.time_out_of_range", "at"),
        (("email:none", "marketing", "--given"), "identifier.blocked", "identifier"),
        (("ann@example.com", "marketing", "--given"), "query.bad_reference", None),
        ((ANN, "marketing", "--given", "--reason", "r" * 2_001), "query.invalid", "reason"),
    ):
        ended = onefold("consent", *arguments, "--json")
        assert (ended.error["code"], ended.error["field"]) == (code, field), arguments
        assert ended.out == ""
    assert onefold("consent", ANN, "marketing").code == 2
    assert onefold("status", "--json").json["touchpoints"] == 0


def test_without_a_store_nothing_is_made(onefold: Run) -> None:
    assert onefold("consent", ANN, "marketing", "--given", "--json").error["code"] == "store.unavailable"
