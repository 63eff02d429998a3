"""Who lives in the town: households, people, what they carry."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeVar

from onefold.demo.shop.mint import Mint
from onefold.demo.shop.telling import DAY_MS, END_MS, START_MS, YEAR_DAYS, Trap, Whose
from onefold.demo.shop.words import AGENTS, FAMILY, GIVEN, PHONE_APP, TABLET_APP, TOWNS

Drawn = TypeVar("Drawn")
Since = list[tuple[int, str]]
"""What somebody has, each from a time on."""


class Kind(Enum):
    """How far somebody makes himself known."""

    MEMBER = auto()
    GUEST = auto()
    CARD_HOLDER = auto()
    VISITOR = auto()


_KINDS: Final = {Kind.MEMBER: 55, Kind.GUEST: 16, Kind.CARD_HOLDER: 11, Kind.VISITOR: 18}
_SIZES: Final = {1: 46, 2: 30, 3: 13, 4: 11}


@dataclass(slots=True, eq=False)
class Browser:
    """A browser or an app: what the shop's script calls it, for as long as that lasts.

    Attributes:
        life_ms: after so long its cookie is a new one. device: of an app, the device's id. user: who is logged in.
    """

    mint: Mint
    agent: str
    life_ms: int
    device: str | None = None
    shared: bool = False
    user: "Person | None" = None
    cookie: str = ""
    born_ms: int = -END_MS

    def cookie_at(self, at_ms: int) -> str:
        """What it is called now. An expired cookie takes the log-in with it."""
        if at_ms - self.born_ms > self.life_ms:
            self.renew(at_ms)
        return self.cookie

    def renew(self, at_ms: int) -> None:
        """Forget who was here."""
        self.cookie, self.born_ms, self.user = self.mint.token(), at_ms, None


@dataclass(slots=True, eq=False)
class Person:
    """Somebody. `addresses`, `phones`: each from a time on. `signup_ms`: when a member opens the account."""

    number: int
    household: "Household"
    kind: Kind
    given: str
    family: str
    addresses: Since
    phones: Since
    browsers: list[Browser]
    app: Browser | None
    user_id: str | None
    signup_ms: int
    card: str | None
    crm: str | None
    visits: int
    careful: float
    registered: bool = False
    known: bool = False
    inbox: str | None = None

    def address(self, at_ms: int) -> str | None:
        """The e-mail address somebody gives at that time."""
        return _at(self.addresses, at_ms)

    def phone(self, at_ms: int) -> str | None:
        """The telephone somebody has at that time."""
        return _at(self.phones, at_ms)

    def does(self, trap: Trap | None = None) -> Whose:
        """That it is this person who does something."""
        return Whose(self.number, self.household.number, trap)

    def mailing(self) -> Trap | None:
        """The trap in this person's address, if any."""
        if self.household.address is not None and self.addresses[0][1] == self.household.address:
            return Trap.ADDRESS
        return Trap.CHANGED if len(self.addresses) > 1 else None


@dataclass(slots=True, eq=False)
class Household:
    """Who lives together. `address`: one that two of them share."""

    number: int
    town: str
    currency: str
    tablet: Browser | None = None
    address: str | None = None
    people: list[Person] = field(default_factory=list)


def _at(had: Since, at_ms: int) -> str | None:
    return next((value for since, value in reversed(had) if since <= at_ms), None)


class Registry:
    """Makes the people of one town, a household at a time."""

    def __init__(self, rng: random.Random, mint: Mint, first: int) -> None:
        """`first`: the number of the first person; households are numbered by their first person."""
        self._rng: Final = rng
        self._mint: Final = mint
        self._next = first

    def household(self, most: int) -> Household:
        """The next one, of at most `most` people."""
        rng = self._rng
        size = min(_drawn(rng, _SIZES), most)
        home = Household(self._next, rng.choice(TOWNS), "EUR" if rng.random() < 0.13 else "GBP")
        family = rng.choice(FAMILY)
        if size > 1 and rng.random() < 0.16:
            home.tablet = self._tablet()
        shared = size > 1 and rng.random() < 0.03
        if shared:
            home.address = self._mint.address("family", family)
        for place in range(size):
            own = family if rng.random() < 0.85 else rng.choice(FAMILY)
            home.people.append(self._person(home, own, sharing=shared and place < 2))
        return home

    def _person(self, home: Household, family: str, *, sharing: bool) -> Person:
        rng, mint = self._rng, self._mint
        kind = Kind.GUEST if sharing else _drawn(rng, _KINDS)
        given = rng.choice(GIVEN)
        named = kind is not Kind.VISITOR
        number, self._next = self._next, self._next + 1
        signup_ms = START_MS + int(rng.betavariate(1.2, 1.3) * YEAR_DAYS * DAY_MS)
        return Person(
            number=number,
            household=home,
            kind=kind,
            given=given,
            family=family,
            addresses=self._addresses(home, given, family, sharing) if named else [],
            phones=[(0, mint.phone())] if named and rng.random() < 0.75 else [],
            browsers=self._browsers(),
            app=self._app() if kind is Kind.MEMBER and rng.random() < 0.4 else None,
            user_id=str(mint.number("account")) if kind is Kind.MEMBER else None,
            signup_ms=signup_ms,
            card=f"2{mint.number('card')}" if self._has_card(kind) else None,
            crm=f"C{mint.number('crm')}" if named and rng.random() < 0.4 else None,
            visits=max(1, round(rng.lognormvariate(1.5, 0.75))),
            careful=rng.uniform(0.15, 0.75),
        )

    def _addresses(self, home: Household, given: str, family: str, sharing: bool) -> Since:
        rng = self._rng
        if sharing and home.address:
            return [(0, home.address)]
        had: Since = [(0, self._mint.address(given, family))]
        if rng.random() < 0.06:
            had.append((START_MS + rng.randrange(60, 320) * DAY_MS, self._mint.address(given, family)))
        return had

    def _has_card(self, kind: Kind) -> bool:
        return kind is Kind.CARD_HOLDER or (kind in {Kind.MEMBER, Kind.GUEST} and self._rng.random() < 0.22)

    def _browsers(self) -> list[Browser]:
        """One to three; some forget a cookie within weeks."""
        rng = self._rng
        count = _drawn(rng, {1: 48, 2: 38, 3: 14})
        return [Browser(self._mint, rng.choice(AGENTS), rng.choice((21, 60, 180, 400)) * DAY_MS) for _ in range(count)]

    def _app(self) -> Browser:
        [agent] = self._rng.choices((PHONE_APP, TABLET_APP), (80, 20))
        return Browser(self._mint, agent, 2 * YEAR_DAYS * DAY_MS, device=self._mint.token())

    def _tablet(self) -> Browser:
        device = self._mint.token() if self._rng.random() < 0.5 else None
        return Browser(self._mint, TABLET_APP, 400 * DAY_MS, device=device, shared=True)


def _drawn(rng: random.Random, weights: Mapping[Drawn, int]) -> Drawn:
    [drawn] = rng.choices(list(weights), list(weights.values()))
    return drawn
