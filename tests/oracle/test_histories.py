"""What must hold of any evidence whatever, on drawn histories; and that those histories bite."""

from collections import Counter
from dataclasses import asdict

import networkx as nx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle.evidence import PUBLIC, SERVER, Event, Evidence, Identifier, classes
from tests.oracle.journeys import journeys
from tests.oracle.profiles import profiles
from tests.oracle.stitching import stitch
from tests.oracle.told import unbounded
from tests.property.strategies import TRAITS, History, Judge, features, histories, outcomes, reordered, replay, take


def everything(evidence: Evidence) -> dict[str, object]:
    """All that follows from the evidence, customers named by their ids."""
    stitched = stitch(evidence)
    return asdict(stitched) | {
        "profiles": profiles(evidence, stitched, TRAITS),
        "journeys": journeys(evidence, stitched),
    }


def nameless(evidence: Evidence) -> dict[str, object]:
    """The same with customers as sets: which of two equals is elder may depend on arrival."""
    stitched = stitch(evidence)
    members = {next(stitched.customers[i] for i in group): group for group in stitched.groups()}
    named = asdict(stitched) | {"customers": stitched.groups()}
    said = {members[anchor]: profile for anchor, profile in profiles(evidence, stitched, TRAITS).items()}
    happened = {members[anchor]: journey for anchor, journey in journeys(evidence, stitched).items()}
    return named | {"profiles": said, "journeys": happened}


@given(histories(), st.integers(0, 2**16))
def test_no_order_of_arrival_changes_customers_refusals_subjects_profiles_or_journeys(
    history: History, salt: int
) -> None:
    found = []
    for events in (history.events(), reordered(history.events(), salt)):
        evidence = Evidence(history.rules, history.size_limit)
        for step in [*events, *(step for step in history.steps if not isinstance(step, Event))]:
            take(evidence, step)
        found.append(nameless(evidence))
    assert found[0] == found[1]


@given(histories(), st.lists(st.integers(0, 2**16), max_size=4))
def test_judgements_hold_and_leave_no_trace_when_retracted(history: History, drawn: list[int]) -> None:
    evidence = replay(history)
    before, known, made = everything(evidence), list(evidence.identifiers()), []
    for number in drawn if known else ():
        a, b = known[number % len(known)], known[number // 7 % len(known)]
        judgement = Judge("same" if number % 3 else "different", a, b)
        if evidence.judge(*judgement):
            made.append(judgement)
        check_judgements_hold(evidence)
    for judgement in made:
        assert evidence.retract(*judgement)
    assert everything(evidence) == before


def check_judgements_hold(evidence: Evidence) -> None:
    customers = stitch(evidence).customers
    assert all(customers[a] == customers[b] for a, b in evidence.judged("same"))
    assert all(customers[a] != customers[b] for a, b in evidence.judged("different"))


@given(histories())
def test_rules_hold_for_every_customer_and_every_refusal_has_a_cause(history: History) -> None:
    evidence = replay(history)
    stitched, same = stitch(evidence), set(evidence.judged("same"))
    check_judgements_hold(evidence)
    for pair, reason in stitched.refusals.items():
        apart = stitched.customers[pair[0]] != stitched.customers[pair[1]]
        assert apart or reason == "generic"
        assert pair not in same
    assert stitched.generic[SERVER] <= stitched.generic[PUBLIC], "what server evidence makes generic, all evidence does"
    assert not any(history.rules[namespace].kind == "operator" for namespace, _ in stitched.customers)
    one_of = classes(evidence.identifiers(), evidence.judged("same"))
    for group in stitched.groups():
        held = Counter(name for name, _ in {(i[0], one_of[i]) for i in group})
        assert all(count <= (history.rules[name].limit or count) for name, count in held.items())
    for a, b in evidence.links():
        assert stitched.customers[a] == stitched.customers[b] or (a, b) in stitched.refusals


@given(histories(judging=False))
def test_without_limits_customers_are_the_connected_components(history: History) -> None:
    evidence = Evidence(unbounded(*history.rules))
    graph: nx.Graph[Identifier] = nx.Graph()
    for event in history.events():
        evidence.observe(event)
        nx.add_path(graph, event.identifiers)
        graph.add_nodes_from(event.identifiers)
    stitched = stitch(evidence)
    assert stitched.groups() == frozenset(map(frozenset, nx.connected_components(graph)))
    assert stitched.refusals == {}


@pytest.mark.slow
def test_histories_bite() -> None:
    """Shares of 600 histories, the same each time; well below what they were when this was written."""
    tally: Counter[str] = Counter()

    @settings(
        max_examples=600, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(histories())
    def count(history: History) -> None:
        found = features(history) | outcomes(stitch(replay(history)))
        tally.update(["all", history.shape, history.rule_set, *found])

    count()
    least = {
        "ties": 50,
        "late": 50,
        "public": 40,
        "judgements": 30,
        "generic": 15,
        "limit": 40,
        "back_dated": 8,
        "duplicates": 20,
        "retractions": 8,
        "repeated_judgements": 8,
        "operators": 6,
        "weak_bridge": 6,
        "judged_different": 4,
        "size_limit": 4,
        "generic_by_trust": 2,
    }
    shares = {name: round(100 * tally[name] / tally["all"]) for name in tally}
    assert {name: shares.get(name, 0) for name, percent in least.items() if shares.get(name, 0) < percent} == {}
    assert len([name for name in ("default", "tight", "ones", "mails") if shares[name] >= 4]) == 4
