"""Stitching: from what a store holds and a batch of observations to what the store has to hold.

Invariant: after every batch and judgement, a store that applied the change set holds what the rules say of *all* its
evidence: the same customers, refusals, generic identifiers and subjects in whatever order and batches it came.
`tests/property` holds it against an oracle that recomputes everything.

It goes in four steps, each in a module of its own, and reads only what it may change:
`observe` (evidence, commutative) → `decide` (links that their two ends can tell) → `settle` (replay of the customers
where they cannot) → `subjects` (whose touchpoint it is). It does no I/O: it yields what it needs to know
(`onefold.stitch.needs`) and is sent the answer; `onefold.store.base.drive` runs it on a transaction.
"""

from collections.abc import Generator, Sequence
from typing import Any

from onefold.model.changes import ChangeSet, Placed
from onefold.model.graph import Identifier, Observation
from onefold.model.sources import Trust
from onefold.stitch import observe
from onefold.stitch.decide import decide_changed
from onefold.stitch.ledger import lasting, record_flips
from onefold.stitch.needs import Need
from onefold.stitch.rules import Rules
from onefold.stitch.settle import settle
from onefold.stitch.subjects import set_anew, subject_of, touch
from onefold.stitch.work import Work

Steps = Generator[Need, Any, ChangeSet]


def resolve(
    rules: Rules,
    trusts: dict[int, Trust],
    observations: Sequence[Observation],
    *,
    last_identifier: int,
    last_customer: int,
) -> Steps:
    """What a batch of observations changes.

    Args:
        rules: what stitching goes by.
        trusts: trust of every source by its number.
        observations: in any order; none of them was counted before.
        last_identifier, last_customer: the greatest numbers the store has given out.

    Returns: the change set; its `placed` runs parallel to `observations`, None where one is ambiguous.
    """
    work = Work(rules, trusts, last_identifier + 1, last_customer + 1)
    yield from observe.load(work, observations)
    held: list[list[Identifier] | None] = []
    for position, observation in enumerate(observations):
        if observation.crowded and observe.ambiguous(work, observation):
            held.append(None)
        else:
            held.append(observe.observe(work, position, observation))
    pending = yield from decide_changed(work)
    if pending or work.flipped:
        yield from settle(work, pending, {})
        yield from set_anew(work)
        record_flips(work)
    placed = [
        None if rows is None else place(work, rows, observation.at_ms)
        for rows, observation in zip(held, observations, strict=True)
    ]
    return change_set(work, placed)


def place(work: Work, rows: Sequence[Identifier], at_ms: int) -> Placed:
    """Where an observation goes; its subject is touched at that time."""
    subject = subject_of(rows)
    touch(work, subject, at_ms)
    return Placed(tuple(row.id for row in rows), subject.id)


def change_set(work: Work, placed: list[Placed | None]) -> ChangeSet:
    """All that has changed among the rows in hand."""
    new = [work.identifiers[number] for number, was in work.owner.items() if was == 0]
    fresh = {row.id for row in new}
    seen_only = work.seen_links.keys() - work.new_links.keys() - work.marked_links.keys()
    groups = [work.customers[key] for key in work.changed_customers if key in work.customers]
    return ChangeSet(
        placed=placed,
        new_identifiers=new,
        changed_identifiers=[row for number, row in work.changed_identifiers.items() if number not in fresh],
        moves=work.moves(),
        new_customers=[g.row for g in work.customers.values() if g.was is None],
        changed_customers=[g.row for g in groups if g.was is not None],
        dropped_customers=work.dropped_customers,
        new_links=list(work.new_links.values()),
        seen_links=[work.seen_links[pair] for pair in seen_only],
        marked_links=list(work.marked_links.values()),
        subjects=work.subjects,
        decisions=lasting(work),
    )
