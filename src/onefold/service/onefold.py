"""onefold, opened on a store."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

import msgspec

from onefold import __version__
from onefold.errors import OnefoldError, Problem
from onefold.ingest.commit import Outcome
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.envelope import Envelope
from onefold.ingest.pipeline import Batcher, now_ms
from onefold.model import computed_file, rates
from onefold.model.computed_file import ORDERS
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import decode
from onefold.model.namespaces import Namespaces
from onefold.model.normalise import Normaliser
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.model.sources import Source, Trust
from onefold.model.traits import TraitRules
from onefold.readmodel.place import MINUTE_MS, Place
from onefold.service import consents, judging
from onefold.service.keeping.pacing import Pacing
from onefold.service.reading import Means, Reading, UnaskedError
from onefold.service.values import Judged, Status
from onefold.settings import Settings
from onefold.stitch.rules import Rules
from onefold.store.base import Store, Transaction
from onefold.store.passing import repeated
from onefold.store.view import MovedError

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking, ReadModel
    from onefold.service.keeping.keeping import Keeping

LOCAL: Final = Source("local", Trust.SERVER)
"""Who speaks when there are no keys."""
LONGEST_REASON: Final = 2_000
MOST_READS: Final = 3
"""How often something is read from states that may move meanwhile."""

Made = TypeVar("Made")


class Onefold:
    """The service on one store. It may be used from any thread; a context manager that finishes what waits.

    Attributes:
        namespaces: those it recognises customers by. settings: those it runs with.
        batcher: the one way to write to the store; a thread of its own. decoder: of the wire format.
        means: what readings need besides the store. clock_ms: tells the time that segments are kept by.
    """

    def __init__(
        self,
        store: Store,
        namespaces: Namespaces,
        traits: TraitRules,
        settings: Settings,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        """`store` stays open as long as the service is used, and is closed by whoever opened it.

        Raises: OnefoldError `computed.invalid`, `rates.invalid`.
        """
        normaliser = Normaliser(namespaces, settings.default_region)
        rules = Rules(namespaces)
        self.namespaces: Final = namespaces
        self.settings: Final = settings
        self.decoder: Final = Decoder(
            namespaces,
            normaliser,
            store.secret,
            max_event_bytes=settings.max_event_bytes,
            max_batch_bytes=settings.max_batch_bytes,
            max_events=settings.max_events_per_batch,
        )
        self.clock_ms: Final = clock_ms
        self.batcher: Final = Batcher(
            store, rules, batch_size=settings.batch_size, queue_size=settings.queue_size, written=self._wake
        )
        self._store: Final = store
        self.means: Final = Means(
            rules,
            normaliser,
            traits,
            settings.max_page_size,
            computed_file.load(settings.computed),
            settings.session_minutes * MINUTE_MS,
            rates.load(settings.rates),
        )
        self._opening: Final = Lock()
        self._read_model: ReadModel | None = None
        self._keeping: Keeping | None = None
        self._pacing: Pacing | None = None

    def __enter__(self) -> Self:
        """The service itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Finish what waits to be written, and take nothing more."""
        if self._pacing is not None:
            self._pacing.tell_to_stop()
        if self._read_model is not None:
            self._read_model.close()
        if self._pacing is not None:
            self._pacing.stop()
        self.batcher.stop()

    # -- reading

    @property
    def remote(self) -> bool:
        """Whether reading waits for a network."""
        return self._store.remote

    @contextmanager
    def read(
        self, *, wait: bool = True, hold: bool = False, ahead: bool = False, max_staleness_ms: int = 0
    ) -> Iterator[Reading]:
        """One state of the store, for reading on this thread until the block ends.

        With `hold` it stays what it is, and commits may have to wait until the block ends, which does not write.
        Without, the reading may move (`onefold.store.view.MovedError`): then what was read is repeated on another.
        With `ahead` the read model is asked before, for a state that is at most so much older than it could be: so the
        reading knows every identifier that is found there. Where to hold keeps others from committing, it can be asked
        no other way (`onefold.service.reading.UnaskedError`).

        Raises OnefoldError `store.unavailable`, and `store.busy` when too many read: at once unless it may `wait`.
        """
        with ExitStack() as asked:
            known = {max_staleness_ms: asked.enter_context(self.ask(max_staleness_ms))} if ahead else {}
            ask = None if hold and self.remote else lambda age_ms: asked.enter_context(self.ask(age_ms))
            with self._store.read(wait=wait, hold=hold) as view:
                yield Reading(view, self.means, ask, known)

    def check(self) -> None:
        """Read a little of the store, whatever is remembered of it. Raises OnefoldError `store.…`."""
        self._store.check()

    def ask(self, max_staleness_ms: int = 0, *, members: bool = False) -> "AbstractContextManager[Asking]":
        """A state of the read model for asking on this thread until the block ends: it shows all that was committed
        before, or at least what was so long ago. The first question opens it. With `members` its view of segments says
        who is in them by now.

        Raises: OnefoldError `store.…`.
        """
        from onefold.readmodel.model import ReadModel  # noqa: PLC0415  # whoever asks nothing pays nothing

        with self._opening:
            if self._read_model is None:
                orders = self.means.computed[ORDERS].touchpoints
                place = msgspec.structs.replace(Place.chosen(self.settings), orders=orders)
                self._read_model = ReadModel(self._store, place, self.namespaces, self.means.traits)
        if members:
            self._read_model.take_members()
        return self._read_model.ask(max_staleness_ms)

    def in_one_state(self, work: Callable[[Reading], Made]) -> Made:
        """What `work` makes of one state of the store: begun again when the state moved, at last on one that cannot."""
        for _ in range(MOST_READS):
            with suppress(MovedError), self.read() as reading:
                return work(reading)
        with suppress(UnaskedError), self.read(hold=True) as reading:
            return work(reading)
        with self.read(hold=True, ahead=True) as reading:
            return work(reading)

    def status(self, reading: Reading) -> Status:
        """How much the store holds, and where it stands."""
        view = reading.view
        return Status(__version__, self._store.describe(), view.head().seq, view.counts())

    # -- writing

    def submit(
        self, events: Sequence[bytes], source: Source = LOCAL, *, may_judge: bool = True
    ) -> "Future[list[Outcome]]":
        """Hand in events that are happening, each as JSON; the future has an outcome for each when all are durable.
        Unless the sender `may_judge`, an alias of two user ids is evidence like any other.

        Raises OnefoldError `body.too_large`, `ingest.queue_full`, `ingest.stopping`; then none was taken. The future
        raises `store.…`.
        """
        return self.batcher.submit(self._decoded(events, source, may_judge=may_judge))

    def ingest(self, events: Sequence[bytes], source: Source = LOCAL, *, may_judge: bool = True) -> list[Outcome]:
        """The same, and wait until all are durable. Raises what `submit` and its future do."""
        return self.batcher.ingest(self._decoded(events, source, may_judge=may_judge))

    def _decoded(self, events: Sequence[bytes], source: Source, *, may_judge: bool) -> list[Decoded | Rejected]:
        most = self.settings.max_events_per_batch
        if len(events) > most:
            raise OnefoldError(
                "body.too_large",
                f"there are {len(events)} events; there may be {most}",
                "Send fewer at once.",
                "events",
            )
        received_ms = now_ms()
        return [self.decoder.decode_event(event, source, received_ms, may_judge=may_judge) for event in events]

    def submit_sent(self, sent: Envelope, source: Source = LOCAL, *, may_judge: bool = True) -> "Future[list[Outcome]]":
        """Hand in what SDKs send. Raises as `submit` does."""
        return self.batcher.submit(self.decoder.decode_sent(sent, source, now_ms(), may_judge=may_judge))

    def record_consent(self, said: consents.Said, source: Source = LOCAL) -> consents.Recorded:
        """Take in that somebody agreed to something, or withdrew that, by the way every event takes.

        What cannot be recorded so is a problem. Raises OnefoldError `ingest.queue_full`, `ingest.stopping`, `store.…`.
        """
        return consents.record(said, self.means.normaliser, lambda event: self.ingest([event], source)[0])

    def judge(self, *, same: bool, a: IdentifierKey, b: IdentifierKey, reason: str, author: str = LOCAL.name) -> Judged:
        """Say that two identifiers, not yet normalised, are the same customer or different ones; recomputed at once.

        What cannot be judged so is a problem. Raises OnefoldError `ingest.stopping`, `store.…`.
        """
        if unsaid := _refused(reason):
            return Judged(problem=unsaid)
        ends = [self._end(key, field) for key, field in ((a, "a"), (b, "b"))]
        problem = next((end for end in ends if isinstance(end, Problem)), None)
        first, second = ends
        if isinstance(first, Problem) or isinstance(second, Problem):
            return Judged(problem=problem)
        verdict = judging.Verdict(same, (first, second), author, reason)
        return self.batcher.call(partial(judging.judge, self._store, self.means.rules, verdict)).result()

    def _end(self, key: IdentifierKey, field: str) -> IdentifierKey | Problem:
        made = self.means.normaliser.key(key.namespace, key.value)
        return made if isinstance(made, IdentifierKey) else Problem(made.code, made.message, made.hint, field)

    def retract(self, judgement: str, reason: str, author: str = LOCAL.name) -> Judged:
        """Take the judgement with this public id back; recomputed at once. Doing it again changes nothing.

        What cannot be retracted so is a problem. Raises OnefoldError `query.bad_reference`, `ingest.stopping`,
        `store.…`.
        """
        asked = decode(judgement)
        if asked.prefix != "jdg":
            raise OnefoldError(
                "query.bad_reference",
                f"{judgement!r} names no judgement",
                "Give an id that begins with jdg_.",
                "judgement",
            )
        if unsaid := _refused(reason):
            return Judged(problem=unsaid)
        change = partial(judging.retract, self._store, self.means.rules, asked.number, author, reason)
        return self.batcher.call(change).result()

    # -- segments

    def save_segment(
        self,
        draft: SegmentDraft,
        id: str | None = None,  # noqa: A002
        *,
        allow_unknown: bool = False,
    ) -> SavedSegment | Problem:
        """Save a segment: the one of this public id as the draft says, or a new one. Who is in it has been found when
        this answers, unless another process keeps segments for longer than anybody would wait.

        What cannot be saved is a problem: among names that no event has named, unless they are allowed, the first.
        Raises OnefoldError `ingest.stopping`, `store.…`.
        """
        saved = self._kept().save(draft, id, allow_unknown=allow_unknown)
        if self._pacing is not None:
            self._pacing.expect_segments()
        return saved

    def delete_segment(self, id: str) -> SavedSegment | Problem:  # noqa: A002
        """Delete a segment; -> what is remembered of it. One that stands in another's rule is a problem. Raises as
        `save_segment`."""
        return self._kept().delete(id)

    def keep_now(self, *, anew: bool = True) -> bool:
        """Have the members of all segments be right for the store as it is; -> whether they are, and not: another
        process keeps them for too long, or a rule cannot be asked. Unless `anew`, segments that are right but for what
        is declared elsewhere stay as they are. Raises as `save_segment`."""
        return self._kept().now(anew=anew)

    def start_keeping(self) -> None:
        """Keep the members of segments right from now on, until this is closed."""
        if self._pacing is None:
            self._pacing = Pacing(self, lambda: self._kept().keeper)

    def in_transaction(self, work: Callable[[Transaction], Made]) -> Made:
        """What `work` makes in a transaction, in turn with what else is written. It may be done again, also when nobody
        knows whether it was done. Raises what it raises, and OnefoldError `ingest.stopping`, `store.…`."""

        def done() -> Made:
            with self._store.write() as transaction:
                return work(transaction)

        return self.batcher.call(partial(repeated, done, idempotent=True), is_news=False).result()

    def _kept(self) -> "Keeping":
        from onefold.service.keeping.keeping import Keeping  # noqa: PLC0415  # whoever keeps nothing pays nothing

        with self._opening:
            if self._keeping is None:
                self._keeping = Keeping(self)
        return self._keeping

    def _wake(self) -> None:
        if self._pacing is not None:
            self._pacing.wake()


def _refused(reason: str) -> Problem | None:
    """Why it is no reason to be kept, None when it is one."""
    if not reason.strip():
        hint = "Say why, in a sentence: it is kept for whoever asks later."
        return Problem("query.invalid", "the reason is empty", hint, "reason")
    if len(reason) > LONGEST_REASON:
        said = f"the reason has {len(reason)} characters"
        return Problem("query.invalid", said, f"Say it in {LONGEST_REASON}.", "reason")
    return None
