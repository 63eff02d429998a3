"""Brings the members of segments forward, on whatever thread asks it to; one process at a time, by a lease in the
store.

The lease is taken for each pass and ended with it, so processes take turns; of one that dies in the middle it ends by
itself. A pass that another took the lease from writes nothing more, and a step is written only if its segment is still
as it was read: so nobody enters twice, and nobody is left out.
"""

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
from onefold.service.keeping.passes import Due, Pass
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


class Keeper:
    """Keeps the segments of one store. It may be used from any thread; one pass goes on at a time."""

    def __init__(self, onefold: "Onefold") -> None:
        """Nothing is kept before it is asked for."""
        self._onefold: Final = onefold
        self._holder: Final = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._passing: Final = Lock()

    def behind(self, longer_than_ms: int = 0, upto: int | None = None) -> set[int]:
        """The numbers of the segments whose members are not right for the store as it is (`upto`: as it was at this
        sequence number), or, where time alone turns somebody, have not been looked at for longer than this."""
        seq, listed = self._onefold.in_one_state(_state)
        now_ms = self._onefold.clock_ms() - longer_than_ms
        due = self._due(listed, seq if upto is None else upto, self._surroundings(listed, now_ms))
        return {one.segment.number for one in due}

    def bring_forward(self, wanted: Collection[int], *, wait: bool = True) -> bool:
        """Have the members of the segments of these numbers be right for the store as it is now; -> whether they are.
        They are not when another process keeps segments just now, unless there is time to `wait` until it is done, or
        dead.

        Raises: OnefoldError `store.…`.
        """
        deadline = time.monotonic() + (PATIENCE_SECONDS if wait else 0)
        with self._passing:
            while not self.behind().isdisjoint(wanted):
                with self._onefold.ask():  # the first time it may take long, and nobody has to wait for it
                    pass
                lease = self._leased()
                if lease is not None and self._pass(lease, wanted):
                    return True
                if time.monotonic() >= deadline:
                    return False
                time.sleep(AGAIN_SECONDS)
        return True

    def _surroundings(self, listed: Sequence[SavedSegment], now_ms: int) -> Surroundings:
        """No segment's members are brought back in time: clocks of several machines differ."""
        latest_ms = max([now_ms, *(segment.as_of_ms or 0 for segment in listed)])
        return segment_rules.surroundings(self._onefold.means, listed, latest_ms)

    def _due(self, listed: Sequence[SavedSegment], seq: int, surroundings: Surroundings) -> Iterator[Due]:
        """Those of the segments whose members are not right for this state and time."""
        for segment in listed:
            rule = surroundings.segments[segment.public_id]
            due = Due(segment, rule, segment_rules.basis(self._onefold.means, segment, surroundings.segments))
            if due.anew or (segment.as_of_seq or 0) < seq or self._turns(due, surroundings):
                yield due

    @staticmethod
    def _turns(due: Due, surroundings: Surroundings) -> bool:
        return (due.segment.as_of_ms or 0) < surroundings.now_ms and expiry.is_rolling(due.rule, surroundings)

    def _leased(self) -> Lease | None:
        """The lease, for the length of it from now on; None while another has it."""
        now_ms = self._onefold.clock_ms()
        return self._onefold.in_transaction(lambda store: store.take_lease(LEASE, self._holder, now_ms, LEASE_MS))

    def _pass(self, lease: Lease, wanted: Collection[int]) -> bool:
        """One pass under a lease, which it ends; -> whether nobody took it meanwhile."""
        writing = _Writing(self._onefold, lease)
        try:
            listed = self._onefold.in_one_state(segments.listed)
            surroundings = self._surroundings(listed, self._onefold.clock_ms())
            with self._onefold.ask() as asking:
                due = [one for one in self._due(listed, asking.as_of_seq, surroundings) if one.segment.number in wanted]
                for step in Pass(self._onefold.in_one_state, asking, surroundings).steps(due):
                    writing.take(step)
            writing.end()
        except LeaseLostError:
            return False
        except BaseException:
            writing.give_up()
            raise
        return True


def _state(reading: Reading) -> tuple[int, list[SavedSegment]]:
    return reading.view.head().seq, segments.listed(reading)


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
