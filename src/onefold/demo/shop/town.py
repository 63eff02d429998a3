"""One town and its year: who lives there, and all that they do, by arrival."""

import random
from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from onefold.demo.shop import strangers
from onefold.demo.shop.elsewhere import Elsewhere, daytime, rng_day
from onefold.demo.shop.mint import Mint
from onefold.demo.shop.online import Visit
from onefold.demo.shop.people import Browser, Household, Kind, Person, Registry
from onefold.demo.shop.telling import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, Log, Told, Trap

_AT_TILL, _AT_KIOSK, _AT_TABLET, _IN_APP = 0.2, 0.02, 0.25, 0.45
_HOURS: Final = tuple(2 if hour < 7 else 6 if hour < 17 else 11 for hour in range(24))


class Town:
    """A place with a shop. It shares nobody, and no identifier, with another."""

    def __init__(self, seed: int, number: int, first: int, people: int) -> None:
        """`first`: the number of its first person; `people`: how many live there."""
        rng = self._rng = random.Random(f"onefold shop {seed} {number}")  # noqa: S311  # it must be the same again
        self._mint: Final = Mint(rng, number)
        self._log: Final = Log(rng, number)
        self._visit: Final = Visit(rng, self._mint, self._log)
        self._elsewhere: Final = Elsewhere(rng, self._mint, self._log)
        self._kiosks: Final = strangers.kiosks(self._mint)
        self._households: Final = list(_households(Registry(rng, self._mint, first), people))
        self._at_kiosks: Final[list[tuple[int, Person]]] = []
        self._people: Final = [person for home in self._households for person in home.people]

    def told(self) -> list[Told]:
        """All that happens in the year, by arrival."""
        rng, mint = self._rng, self._mint
        strangers.offices(rng, mint, self._people)
        strangers.recycle_numbers(rng, mint, self._people, self._elsewhere)
        for home in self._households:
            self._live(home)
        for at_ms, person in sorted(self._at_kiosks, key=itemgetter(0)):
            self._stand_at_kiosk(person, at_ms)
        strangers.crawl(rng, mint, self._log, len(self._people) // 10 + 1)
        known = [person for person in self._people if person.known and person.addresses]
        strangers.try_passwords(rng, mint, self._log, rng.sample(known, min(len(known), 30 + len(known) // 40)))
        return self._log.arrived()

    def _live(self, home: Household) -> None:
        """A household's year; what its people do follows in time, for they share a tablet."""
        rng = self._rng
        for person in home.people:
            if person.card:
                self._elsewhere.register_card(person, daytime(rng, START_MS + rng_day(rng) // 2 * DAY_MS))
        planned = [(at_ms, person) for person in home.people for at_ms in self._visits(person)]
        for at_ms, person in sorted(planned, key=itemgetter(0)):
            self._come_by(person, at_ms)
        for person in home.people:
            self._elsewhere.over_the_year(person)

    def _visits(self, person: Person) -> Iterator[int]:
        """When somebody comes by: a few times in a row, then not for months."""
        rng = self._rng
        moods = [START_MS + rng_day(rng) * DAY_MS for _ in range(1 + person.visits // 4)]
        for _ in range(person.visits):
            day = rng.choice(moods) + int(rng.expovariate(1 / 12)) * DAY_MS
            [hour] = rng.choices(range(24), _HOURS)
            yield day + hour * HOUR_MS + rng.randrange(60) * MINUTE_MS

    def _come_by(self, person: Person, at_ms: int) -> None:
        rng, home = self._rng, person.household
        if person.kind is not Kind.VISITOR and rng.random() < (0.7 if person.kind is Kind.CARD_HOLDER else _AT_TILL):
            self._elsewhere.buy(person, daytime(rng, at_ms))
            return
        if rng.random() < _AT_KIOSK:
            self._at_kiosks.append((at_ms, person))
            return
        if home.tablet is not None and rng.random() < _AT_TABLET:
            browser = home.tablet
        elif person.app is not None and rng.random() < _IN_APP:
            browser = person.app
        else:
            browser = rng.choice(person.browsers)
        self._go_shopping(person, browser, at_ms)

    def _stand_at_kiosk(self, person: Person, at_ms: int) -> None:
        """A kiosk logs everybody out after a while."""
        kiosk = self._rng.choice(self._kiosks)
        kiosk.user = None
        self._go_shopping(person, kiosk, daytime(self._rng, at_ms), Trap.KIOSK)

    def _go_shopping(self, person: Person, browser: Browser, at_ms: int, trap: Trap | None = None) -> None:
        ordered_ms = self._visit.make(person, browser, at_ms, trap)
        if ordered_ms is None or not person.addresses:
            return
        if person.inbox:
            self._visit.office_mail(person, ordered_ms)
        self._elsewhere.after_order(person, ordered_ms)


def _households(registry: Registry, people: int) -> Iterator[Household]:
    while people > 0:
        home = registry.household(people)
        people -= len(home.people)
        yield home
