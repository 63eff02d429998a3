"""What drawn histories brought to light once, each by its smallest case."""

from onefold.model.changes import Decision, DecisionKind
from tests.oracle.evidence import PUBLIC, SERVER, Event, Rules
from tests.oracle.told import identifier
from tests.property.agreement import customers, named
from tests.property.holding import hold
from tests.property.playing import Player, Turn, expect
from tests.property.shapes import MAILS, TIGHT
from tests.property.strategies import START_MS, History, Judge, Retract, Step


def saw(*texts: str, public: bool = False, minute: int = 0) -> Event:
    """An event with these identifiers."""
    trust, source = (PUBLIC, "web") if public else (SERVER, "crm")
    at_ms = START_MS + minute * 60_000
    return Event(" ".join(texts), source, trust, at_ms, at_ms, tuple(map(identifier, texts)))


def told(*steps: Step, rules: Rules = TIGHT, size_limit: int = 10_000) -> Player:
    """One batch a step, each held against the oracle."""
    history = History("by hand", "", rules, size_limit, 1, steps)
    return hold(history, expect(history, history.batches()))


def of(player: Player, kind: DecisionKind) -> list[Decision]:
    return [line for line in player.told if line.kind is kind]


def names(player: Player, numbers: tuple[int, ...]) -> list[str]:
    return [":".join(named(player.store.identifiers[number])) for number in numbers]


def test_of_equal_namespaces_the_one_that_prefers_the_newest_comes_first() -> None:
    player = told(
        saw("phone:0", "email:0"),
        saw("phone:1", "email:0"),
        saw("social:0", "email:0"),
        saw("phone:0", "email:1", "email:0"),
        size_limit=4,
    )
    assert customers(player.store)["phone", "1"] == ("email", "0")
    assert customers(player.store)["social", "0"] == ("social", "0")


def test_a_newcomer_that_joins_two_customers_while_they_are_settled_is_told() -> None:
    player = told(
        saw("phone:1", "email:1"),
        saw("phone:0", "email:0"),
        saw("user_id:0", "email:0"),
        saw("crm_id:0", "email:0", "email:1"),
    )
    joined = [set(names(player, line.customers)) for line in of(player, DecisionKind.JOINED)]
    assert {"crm_id:0", "email:1"} in joined
    assert {"user_id:0", "crm_id:0"} in joined


def test_a_link_that_is_generic_no_more_and_still_refused_is_told() -> None:
    players = [saw(f"user_id:{number}", "anonymous_id:a", public=number > 0) for number in range(4)]
    cookie = (saw("user_id:own", "device_id:d"), saw("anonymous_id:a", "device_id:d", public=True))
    player = told(*players, *cookie, saw("device_id:d", "anonymous_id:a"))
    [line] = of(player, DecisionKind.REFUSED)
    assert line.reason == "limit:user_id"


def test_what_only_a_judgement_held_together_comes_apart_for_that_reason() -> None:
    ends = (identifier("user_id:1"), identifier("user_id:2"))
    player = told(saw("user_id:1"), saw("user_id:2"), Judge("same", *ends), Retract("same", *ends))
    [line] = of(player, DecisionKind.SPLIT)
    assert (line.reason, line.judgement) == ("not_judged_same", 1)
    assert sorted(names(player, line.identifiers)) == ["user_id:1", "user_id:2"]


def test_who_came_together_in_the_batch_that_refused_it_is_not_told_to_be_apart() -> None:
    """The link of the cookie to the second address bridges weakly; then the addresses come together by themselves, over
    a link that is trusted less."""
    cookie = ("anonymous_id:0", "email:0")
    history = History("by hand", "", MAILS, 10_000, 3, ())
    batch = [saw("email:1", "email:0", public=True), saw(*cookie), saw("anonymous_id:0", "email:1", minute=1)]
    player = hold(history, expect(history, [batch]))
    assert len(set(customers(player.store).values())) == 1
    assert player.told == []


def test_parts_that_were_together_for_a_moment_are_told_by_lines_that_connect() -> None:
    """In the last batch the device leaves its person for a new number, as whose customer it is told of; then the number
    leaves it, too, for a third. Only that it came to the third leads from the person to the device."""
    turns: list[Turn] = [
        [saw("social:9", minute=1)],
        [saw("device_id:1", "social:3", "phone:5", minute=6)],
        Judge("same", identifier("social:3"), identifier("social:9")),
        [saw("user_id:0", "device_id:0", minute=36), saw("user_id:0", "crm_id:0", minute=35)],
        [saw("user_id:0", "email:1", "phone:3", minute=10), saw("device_id:0", "phone:5", "phone:8", minute=2)],
    ]
    history = History("by hand", "", TIGHT, 4, 1, ())
    hold(history, expect(history, turns))
