"""onefold, opened on a store."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from onefold import __version__
from onefold.errors import OnefoldError, Problem
from onefold.ingest.commit import Outcome
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.envelope import Envelope
from onefold.ingest.pipeline import Batcher, now_ms
from onefold.model import computed_file, rates
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import decode
from onefold.model.namespaces import Namespaces
from onefold.model.normalise import Normaliser
from onefold.model.sources import Source, Trust
from onefold.model.traits import TraitRules
from onefold.readmodel.place import MINUTE_MS, Place
from onefold.service import consents, judging
from onefold.service.reading import Means, Reading
from onefold.service.values import Judged, Status
from onefold.settings import Settings
from onefold.stitch.rules import Rules
from onefold.store.base import MovedError, Store

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking, ReadModel

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
    """

    def __init__(self, store: Store, namespaces: Namespaces, traits: TraitRules, settings: Settings) -> None:
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
        self.batcher: Final = Batcher(store, rules, batch_size=settings.batch_size, queue_size=settings.queue_size)
        self._store: Final = store
        self._means: Final = Means(
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

    def __enter__(self) -> Self:
        """The service itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Finish what waits to be written, and take nothing more."""
        self.batcher.stop()
        if self._read_model is not None:
            self._read_model.close()

    # -- reading

    @property
    def remote(self) -> bool:
        """Whether reading waits for a network."""
        return self._store.remote

    @contextmanager
    def read(self, *, wait: bool = True, hold: bool = False, ahead: bool = False) -> Iterator[Reading]:
        """One state of the store, for reading on this thread until the block ends.

        With `hold` it stays what it is, and commits may have to wait until the block ends, which does not write.
        Without, the reading may move (`onefold.store.base.MovedError`): then what was read is repeated on another.
        With `ahead` the read model is asked before: so the reading knows every identifier that is found there.

        Raises OnefoldError `store.unavailable`, and `store.busy` when too many read: at once unless it may `wait`.
        """
        with ExitStack() as asked:
            known = {0: asked.enter_context(self.ask())} if ahead else {}
            with self._store.read(wait=wait, hold=hold) as view:
                yield Reading(view, self._means, lambda age_ms: asked.enter_context(self.ask(age_ms)), known)

    def ask(self, max_staleness_ms: int = 0) -> "AbstractContextManager[Asking]":
        """A state of the read model for asking on this thread until the block ends: it shows all that was committed
        before, or at least what was so long ago. The first question opens it.

        Raises: OnefoldError `store.…`.
        """
        from onefold.readmodel.model import ReadModel  # noqa: PLC0415  # whoever asks nothing pays nothing

        with self._opening:
            if self._read_model is None:
                place = Place.chosen(self.settings)
                self._read_model = ReadModel(self._store, place, self.namespaces, self._means.traits)
        return self._read_model.ask(max_staleness_ms)

    def in_one_state(self, work: Callable[[Reading], Made]) -> Made:
        """What `work` makes of one state of the store: begun again when the state moved, at last on one that cannot."""
        for _ in range(MOST_READS):
            with suppress(MovedError), self.read() as reading:
                return work(reading)
        with self.read(hold=True) as reading:
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
        return consents.record(said, self._means.normaliser, lambda event: self.ingest([event], source)[0])

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
        return self.batcher.call(partial(judging.judge, self._store, self._means.rules, verdict)).result()

    def _end(self, key: IdentifierKey, field: str) -> IdentifierKey | Problem:
        made = self._means.normaliser.key(key.namespace, key.value)
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
        change = partial(judging.retract, self._store, self._means.rules, asked.number, author, reason)
        return self.batcher.call(change).result()


def _refused(reason: str) -> Problem | None:
    """Why it is no reason to be kept, None when it is one."""
    if not reason.strip():
        hint = "Say why, in a sentence: it is kept for whoever asks later."
        return Problem("query.invalid", "the reason is empty", hint, "reason")
    if len(reason) > LONGEST_REASON:
        said = f"the reason has {len(reason)} characters"
        return Problem("query.invalid", said, f"Say it in {LONGEST_REASON}.", "reason")
    return None
