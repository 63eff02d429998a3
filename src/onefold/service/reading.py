"""One operation's reading: one state of the store, in which everything is looked up once and many at a time."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from onefold.errors import OnefoldError, Problem
from onefold.ingest.pipeline import now_ms
from onefold.model.computed import ComputedTraits
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import PublicId, decode
from onefold.model.normalise import Normaliser
from onefold.model.rates import Rates
from onefold.model.reading import KnownCustomer, KnownIdentifier
from onefold.model.traits import TraitRules
from onefold.readmodel.place import MINUTE_MS
from onefold.service.pages import checked_size
from onefold.service.values import Found, Node, Reference, Resolution
from onefold.stitch.rules import Rules
from onefold.store.view import View

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking

NONE_DECLARED: Final[ComputedTraits] = MappingProxyType({})
NOTHING_ASKED: Final[Mapping[int, "Asking"]] = MappingProxyType({})
MOST_RESOLVED: Final = 1_000
MOST_ROWS: Final = 100_000

Row = TypeVar("Row")


class Means(msgspec.Struct, frozen=True):
    """What readings need besides a state of the store. `most`: how many things a page may hold; `session_ms`: after how
    long without a touchpoint a session has ended."""

    rules: Rules
    normaliser: Normaliser
    traits: TraitRules
    most: int
    computed: ComputedTraits = NONE_DECLARED
    session_ms: int = 30 * MINUTE_MS
    rates: Rates = Rates()


class UnaskedError(Exception):
    """The read model was to be asked while the store is held, which would wait for itself: catching up reads the store.
    It never reaches people: whoever reads begins again with a reading that was opened `ahead`."""


class Reading:
    """One state of the store. It belongs to one thread; every use case of one operation sees the same state.

    Identifiers and customers are remembered: they cannot change within it. `unasked`: whether the read model was to be
    asked where it could not be (UnaskedError).
    """

    def __init__(
        self,
        view: View,
        means: Means,
        ask: "Callable[[int], Asking] | None" = None,
        asked: "Mapping[int, Asking]" = NOTHING_ASKED,
    ) -> None:
        """`view` stays open as long as the reading is used, and so does what `ask` opens: a state of the read model at
        most so many milliseconds old. Without it nothing but what was `asked` before can be asked of the read model."""
        self.view: Final = view
        self._ask: Final = ask
        self._asked: Final[dict[int, Asking]] = dict(asked)
        self.unasked = False
        self.means: Final = means
        self._identifiers: dict[int, KnownIdentifier] = {}
        self._customers: dict[int, KnownCustomer] = {}
        self._handed_out = 0

    def asking(self, max_staleness_ms: int = 0) -> "Asking":
        """A state of the read model, the same whenever the reading asks so: as new as the first question, or at most so
        much older. Raises UnaskedError."""
        if 0 in self._asked:
            return self._asked[0]
        if max_staleness_ms not in self._asked:
            if self._ask is None:
                self.unasked = True
                raise UnaskedError
            self._asked[max_staleness_ms] = self._ask(max_staleness_ms)
        return self._asked[max_staleness_ms]

    @cached_property
    def asked_ms(self) -> int:
        """The moment that days are counted to, the same for all of the reading."""
        return now_ms()

    # -- what is known

    def identifiers(self, numbers: Collection[int]) -> dict[int, KnownIdentifier]:
        """Identifiers by number; at least those asked for that there are."""
        return _known(self._identifiers, numbers, self.view.by_number)

    def customers(self, keys: Collection[int]) -> dict[int, KnownCustomer]:
        """Customers by key; at least those asked for that there are."""
        return _known(self._customers, keys, self.view.customers)

    def hand_out(self, rows: int) -> None:
        """Count what goes into the answer. Raises `query.too_complex` beyond 100,000 rows, whatever pages were asked
        for: it is what there really is that takes time."""
        self._handed_out += rows
        if self._handed_out > MOST_ROWS:
            raise OnefoldError(
                "query.too_complex", f"the answer has more than {MOST_ROWS:,} things in it", "Ask for smaller pages."
            )

    def members(self, customers: Collection[int]) -> dict[int, list[KnownIdentifier]]:
        """All identifiers of these customers, the eldest first."""
        found = self.view.members(list(customers))
        self.remember(identifier for members in found.values() for identifier in members)
        return found

    def remember(self, identifiers: Iterable[KnownIdentifier]) -> None:
        """Take note of identifiers that another read brought along."""
        self._identifiers.update((identifier.number, identifier) for identifier in identifiers)

    def page_size(self, size: int, field: str = "first") -> int:
        """How many things a page may hold. Raises `query.page_too_large`."""
        return checked_size(size, self.means.most, field)

    # -- who is this

    def key(self, asked: IdentifierKey, field: str | None = None) -> IdentifierKey:
        """The identifier, normalised. Raises OnefoldError with the code of what is wrong with it."""
        key = self.means.normaliser.key(asked.namespace, asked.value)
        if isinstance(key, Problem):
            raise OnefoldError(key.code, key.message, key.hint, field or key.field)
        return key

    def resolve(self, asked: Sequence[IdentifierKey]) -> list[Resolution]:
        """Whose these identifiers are, in the order asked. Raises `query.page_too_large` beyond 1,000 of them."""
        checked_size(len(asked), MOST_RESOLVED, "identifiers")
        keys = [self.means.normaliser.key(namespace, value) for namespace, value in asked]
        known = self.view.by_key([key for key in keys if not isinstance(key, Problem)])
        self.remember(known.values())
        customers = self.customers({identifier.customer for identifier in known.values()} - {0})
        return [_resolution(given, key, known, customers) for given, key in zip(asked, keys, strict=True)]

    def contested(self, customers: Sequence[int]) -> set[int]:
        """Those of these customers that hold an identifier with a refused link."""
        return {key for key, links in self.view.refused_links(customers, 1).items() if links}

    def customer(self, reference: Reference) -> Found:
        """The customer named so. Raises `customer.not_found`, `identifier.not_found`, `query.bad_reference`, or the
        code of what is wrong with the identifier."""
        if isinstance(reference, str):
            return self._customer_by_id(reference, decode(reference))
        key = self.key(reference, "by")
        known = self.view.by_key([key]).get(key)
        if known is None:
            raise OnefoldError("identifier.not_found", f"no event has named {key.namespace} {key.value!r}", None, "by")
        self.remember([known])
        return Found(self.owner(known))

    def _customer_by_id(self, text: str, asked: PublicId) -> Found:
        if asked.prefix not in {"cus", "idn"}:
            raise OnefoldError(
                "query.bad_reference", f"{text!r} names no customer", "Give an id that begins with cus_ or idn_.", "id"
            )
        known = self.view.by_public([asked.data]).get(asked.data)
        if known is None:
            code = "customer.not_found" if asked.prefix == "cus" else "identifier.not_found"
            raise OnefoldError(
                code, f"nothing has the id {text}", "Ids are made by one store and mean nothing to another.", "id"
            )
        self.remember([known])
        customer = self.owner(known)
        renamed = asked.prefix == "cus" and customer.public != asked.data
        return Found(customer, known.public_id.replace("idn_", "cus_", 1) if renamed else None)

    def owner(self, identifier: KnownIdentifier) -> KnownCustomer:
        """The customer an identifier belongs to. Raises `customer.not_found` for an operator's."""
        if not identifier.customer:
            raise OnefoldError(
                "customer.not_found",
                f"a {identifier.key.namespace} names whoever served the customer: it belongs to nobody",
                None,
                "by",
            )
        return self.customers([identifier.customer])[identifier.customer]

    def node(self, text: str) -> Node | None:
        """What has this public id, None if nothing has. Raises `query.bad_reference` for what is no id."""
        asked = decode(text)
        match asked.prefix:
            case "tp":
                return self.view.touchpoints([asked.data]).get(asked.data)
            case "dec":
                return self.view.decisions_by_seq([asked.number]).get(asked.number)
            case "jdg":
                return self.view.judgements_by_number([asked.number]).get(asked.number)
            case "seg":
                kept = self.view.segments_by_number([asked.number]).get(asked.number)
                return None if kept is None or kept.deleted_ms is not None else kept
        known = self.view.by_public([asked.data]).get(asked.data)
        if known is None or asked.prefix == "idn":
            return known
        return self._customer_by_id(text, asked) if known.customer else None


def _known(
    held: dict[int, Row], wanted: Collection[int], load: Callable[[Sequence[int]], dict[int, Row]]
) -> dict[int, Row]:
    missing = [number for number in wanted if number not in held]
    if missing:
        held.update(load(missing))
    return held


def _resolution(
    given: IdentifierKey,
    key: IdentifierKey | Problem,
    known: dict[IdentifierKey, KnownIdentifier],
    customers: dict[int, KnownCustomer],
) -> Resolution:
    if isinstance(key, Problem):
        return Resolution(given, problem=key)
    identifier = known.get(key)
    if identifier is None:
        return Resolution(key)
    return Resolution(key, customers.get(identifier.customer), identifier.generic)
