"""Brings the members of segments forward, on whatever thread asks it to; one process at a time, by a lease in the
store.

The lease is taken for each pass and ended with it, so processes take turns; of one that dies in the middle it ends by
itself. A pass that another took the lease from writes nothing more, and a step is written only if its segment is still
as it was read: so nobody enters twice, and nobody is left out.
"""

import logging
import os
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from onefold.analytics.segments import expiry
from onefold.analytics.segments.surroundings import Surroundings
from onefold.errors import OnefoldError
from onefold.model.saved import Lease, MembershipStep, SavedSegment
from onefold.service import segment_rules, segments
from onefold.service.keeping.passes import Due, LeftOutError, Pass
from onefold.service.reading import Reading
from onefold.store.base import LeaseLostError, Transaction

if TYPE_CHECKING:
    from onefold.service.onefold import Onefold

LEASE: Final = "segments"
LEASE_MS: Final = 15_000
"""For how long nobody notices that whoever keeps has died."""
RENEWED_MS: Final = LEASE_MS // 3
AGAIN_SECONDS: Final = 0.02
PATIENCE_SECONDS: Final = 2 * LEASE_MS / 1_000
PART: Final = 5_000
"""So many changes are written at once: others want to write too."""
TRIED_AGAIN_MS: Final = 300_000
"""After how long a segment that could not be asked is tried again; sooner where it, or what it depends on, changes."""

_log: Final = logging.getLogger(__name__)


class Keeper:
    """Keeps the segments of one store. It may be used from any thread; one pass goes on at a time."""

    def __init__(self, onefold: "Onefold") -> None:
        """Nothing is kept before it is asked for."""
        self._onefold: Final = onefold
        self._holder: Final = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._passing: Final = Lock()
        self._left_out: Final[dict[tuple[int, int, str], int]] = {}

    def behind(self, longer_than_ms: int = 0, upto: int | None = None, *, anew: bool = True) -> set[int]:
        """The numbers of the segments whose members are not right for the store as it is (`upto`: as it was at this
        sequence number), or, where time alone turns somebody, have not been looked at for longer than this. Unless
        `anew`, that other things are declared here than where they were found does not count."""
        seq = self._onefold.in_one_state(_seq) if upto is None else upto
        return set(self._behind(seq, self._onefold.clock_ms() - longer_than_ms, anew=anew))

    def _behind(self, seq: int, before_ms: int, *, anew: bool = True) -> dict[int, Due]:
        """By number those not right for this state, or, where time turns somebody, looked at before this time."""
        listed = self._onefold.in_one_state(segments.listed)
        surroundings = self._surroundings(listed, self._onefold.clock_ms())
        return {one.segment.number: one for one in self._due(listed, seq, before_ms, surroundings, anew=anew)}

    def bring_forward(self, wanted: Collection[int], *, wait: bool = True) -> bool:
        """Have the members of the segments of these numbers be right for the store as it is now; -> whether they are.
        They are not where a rule cannot be asked, nor when another process keeps segments just now, unless there is
        time to `wait` until it is done, or dead.

        Raises: OnefoldError `store.…`.
        """
        deadline = time.monotonic() + (PATIENCE_SECONDS if wait else 0)
        seq, before_ms = self._onefold.in_one_state(_seq), self._onefold.clock_ms()
        with self._passing:
            while left := self._of(wanted, seq, before_ms):
                askable = {one.segment.number for one in left if self._is_askable(one)}
                if not askable:
                    return False
                try:
                    done = self._passed(askable)
                except LeftOutError as error:
                    self._leave_out(error.due, error.reason)
                    continue
                before_ms = 0 if done else before_ms  # what is still left was changed meanwhile
                if time.monotonic() >= deadline:
                    return not self._of(wanted, seq, before_ms)
                if not done:
                    time.sleep(AGAIN_SECONDS)
        return True

    def _of(self, wanted: Collection[int], seq: int, before_ms: int) -> list[Due]:
        return [due for number, due in self._behind(seq, before_ms).items() if number in wanted]

    def _is_askable(self, due: Due) -> bool:
        return self._left_out.get(_version(due), 0) <= self._onefold.clock_ms()

    def _leave_out(self, due: Due, reason: str) -> None:
        """Keep the others without this one, whose rule cannot be asked."""
        self._left_out[_version(due)] = self._onefold.clock_ms() + TRIED_AGAIN_MS
        _log.warning("the segment %s %r is not kept: %s", due.segment.public_id, due.segment.name, reason)

    def _surroundings(self, listed: Sequence[SavedSegment], now_ms: int) -> Surroundings:
        """No segment's members are brought back in time: clocks of several machines differ."""
        latest_ms = max([now_ms, *(segment.as_of_ms or 0 for segment in listed)])
        return segment_rules.surroundings(self._onefold.means, listed, latest_ms)

    def _due(
        self, listed: Sequence[SavedSegment], seq: int, before_ms: int, surroundings: Surroundings, *, anew: bool = True
    ) -> Iterator[Due]:
        """Those of the segments whose members are not right for this state, or this time."""
        for segment in listed:
            rule = surroundings.segments[segment.public_id]
            due = Due(segment, rule, segment_rules.basis(self._onefold.means, segment, surroundings.segments))
            behind = segment.as_of_seq is None or segment.as_of_seq < seq or (due.anew and anew)
            if behind or (not due.anew and _turns(due, before_ms, surroundings)):
                yield due

    def _leased(self) -> Lease | None:
        """The lease, for the length of it from now on; None while another has it."""
        now_ms = self._onefold.clock_ms()
        return self._onefold.in_transaction(lambda store: store.take_lease(LEASE, self._holder, now_ms, LEASE_MS))

    def _passed(self, wanted: Collection[int]) -> bool:
        """Whether there was a pass, and nobody took the lease in the middle of it. Raises LeftOutError."""
        with self._onefold.ask():  # the first time it may take long, and nobody has to wait for it
            pass
        lease = self._leased()
        return lease is not None and self._pass(lease, wanted)

    def _pass(self, lease: Lease, wanted: Collection[int]) -> bool:
        """One pass under a lease, which it ends; -> whether nobody took it meanwhile. Raises LeftOutError."""
        writing = _Writing(self._onefold, lease)
        try:
            listed = self._onefold.in_one_state(segments.listed)
            surroundings = self._surroundings(listed, self._onefold.clock_ms())
            with self._onefold.ask() as asking:
                due = self._due(listed, asking.as_of_seq, surroundings.now_ms, surroundings)
                going = Pass(self._onefold.in_one_state, asking, surroundings, writing.renew)
                for step in going.steps([one for one in due if one.segment.number in wanted]):
                    writing.take(step)
            writing.end()
        except LeaseLostError:
            return False
        except LeftOutError:
            writing.end()
            raise
        except BaseException:
            writing.give_up()
            raise
        return True


def _seq(reading: Reading) -> int:
    return reading.view.head().seq


def _turns(due: Due, before_ms: int, surroundings: Surroundings) -> bool:
    """Whether time may have turned somebody since it was looked, which was before this time."""
    return (due.segment.as_of_ms or 0) < before_ms and expiry.is_rolling(due.rule, surroundings)


def _version(due: Due) -> tuple[int, int, str]:
    """What a segment is known by until it, or what it depends on, becomes another."""
    return due.segment.number, due.segment.revision, due.basis


class _Writing:
    """Writes the steps of a pass: many small ones in one transaction, large ones in parts."""

    def __init__(self, onefold: "Onefold", lease: Lease) -> None:
        self._onefold: Final = onefold
        self._lease: Final = lease
        self._until_ms = lease.until_ms
        self._steps: list[MembershipStep] = []
        self._changes = 0

    def take(self, step: MembershipStep) -> None:
        """Raises LeaseLostError."""
        told = list(step.changes)
        while len(told) > PART:
            self._add(replace(step, changes=told[:PART], last=False))
            told = told[PART:]
        self._add(replace(step, changes=told))
        self.renew()

    def renew(self) -> None:
        """Have the lease for longer when part of its time is over, with what waits to be written. Raises
        LeaseLostError."""
        if self._until_ms - self._onefold.clock_ms() < LEASE_MS - RENEWED_MS:
            self._write()

    def _add(self, step: MembershipStep) -> None:
        """A transaction takes one step of each segment."""
        known = any(waiting.segment.number == step.segment.number for waiting in self._steps)
        if known or self._changes + len(step.changes) > PART:
            self._write()
        self._steps.append(step)
        self._changes += len(step.changes)

    def _write(self, *, end: bool = False) -> None:
        steps, self._steps, self._changes = self._steps, [], 0
        now_ms = self._onefold.clock_ms()
        self._onefold.in_transaction(lambda store: self._kept(store, steps, now_ms, end=end))
        self._until_ms = now_ms + LEASE_MS

    def _kept(self, store: Transaction, steps: Collection[MembershipStep], now_ms: int, *, end: bool) -> None:
        renewed = store.take_lease(LEASE, self._lease.holder, now_ms, LEASE_MS)
        if renewed is None or renewed.token != self._lease.token:
            raise LeaseLostError
        store.keep(self._lease, list(steps))
        if end:
            store.end_lease(self._lease)

    def end(self) -> None:
        """Write what waits, and let go of the lease. Raises LeaseLostError."""
        self._write(end=True)

    def give_up(self) -> None:
        """Let go of the lease, so that others need not wait until it ends."""
        with suppress(OnefoldError):
            self._onefold.in_transaction(lambda store: store.end_lease(self._lease))
