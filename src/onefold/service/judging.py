"""What people say of two identifiers, taken in turn with what is observed."""

from functools import partial

import msgspec

from onefold.errors import Problem
from onefold.ingest.pipeline import now_ms
from onefold.model.changes import ChangeSet, Retraction
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.service.values import Judged
from onefold.stitch import judging
from onefold.stitch.rules import Rules
from onefold.store.base import Store, drive
from onefold.store.passing import repeated


class Verdict(msgspec.Struct, frozen=True):
    """What somebody says: whether the two `ends`, normalised, are the same customer, and why."""

    same: bool
    ends: tuple[IdentifierKey, IdentifierKey]
    author: str
    reason: str


def judge(store: Store, rules: Rules, verdict: Verdict) -> Judged:
    """Judge, on the writing thread. What contradicts standing judgements or names the unknown is a problem."""
    return repeated(partial(_judge, store, rules, verdict), idempotent=False)


def _judge(store: Store, rules: Rules, verdict: Verdict) -> Judged:
    at_ms = now_ms()
    with store.write() as transaction:
        number = transaction.head.judgement + 1
        said = Judgement(number, verdict.same, 0, 0, verdict.author, verdict.reason, at_ms)
        steps = judging.judge(rules, transaction.trusts(), said, verdict.ends, last_customer=transaction.head.customer)
        changes = drive(steps, transaction)
        if isinstance(changes, Problem):
            return Judged(problem=changes)
        transaction.apply(changes, [], at_ms)
    return _judged(number, changes)


def retract(store: Store, rules: Rules, number: int, author: str, reason: str) -> Judged:
    """Take a judgement back, on the writing thread. Taking it back again changes nothing."""
    return repeated(partial(_retract, store, rules, number, author, reason), idempotent=True)


def _retract(store: Store, rules: Rules, number: int, author: str, reason: str) -> Judged:
    at_ms = now_ms()
    with store.write() as transaction:
        judgement = transaction.judgement(number)
        if judgement is None:
            return Judged(problem=Problem("judgement.not_found", "no judgement has this id", None, "judgement"))
        if judgement.retracted_ms is not None:
            return Judged(number)
        taken_back = Retraction(number, author, reason, at_ms)
        steps = judging.retract(
            rules, transaction.trusts(), judgement, taken_back, last_customer=transaction.head.customer
        )
        changes = drive(steps, transaction)
        transaction.apply(changes, [], at_ms)
    return _judged(number, changes)


def _judged(number: int, changes: ChangeSet) -> Judged:
    """Who came together and who fell apart, by where identifiers went."""
    came_from: dict[int, set[int]] = {}
    went_to: dict[int, set[int]] = {}
    for move in changes.moves:
        came_from.setdefault(move.customer, set()).add(move.was)
        went_to.setdefault(move.was, set()).add(move.customer)
    for key in came_from.keys() - {customer.key for customer in changes.new_customers}:
        came_from[key].add(key)
    for key in went_to.keys() - set(changes.dropped_customers):
        went_to[key].add(key)
    return Judged(number, _of_several(came_from), _targets_of_several(went_to))


def _of_several(came_from: dict[int, set[int]]) -> tuple[int, ...]:
    return tuple(sorted(key for key, before in came_from.items() if len(before) > 1))


def _targets_of_several(went_to: dict[int, set[int]]) -> tuple[int, ...]:
    return tuple(sorted({key for after in went_to.values() if len(after) > 1 for key in after}))
