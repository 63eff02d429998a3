"""What people do away from the web shop: at the till, on the telephone, in their mail, on social networks."""

import random
from typing import Any, Final

from onefold.demo.shop.mint import Mint
from onefold.demo.shop.online import basket
from onefold.demo.shop.people import Person
from onefold.demo.shop.telling import (
    CALLS,
    CRM,
    DAY_MS,
    HOUR_MS,
    MAILS,
    MINUTE_MS,
    SOCIAL,
    START_MS,
    SURVEYS,
    TILL,
    Log,
    Trap,
)
from onefold.demo.shop.words import COMMENTS, COMPLAINTS, QUESTIONS

Event = dict[str, Any]

_SLIPS: Final = 0.03
_LENT: Final = 0.03
_CLERKS: Final = 24


class Elsewhere:
    """The channels besides the web shop and the app."""

    def __init__(self, rng: random.Random, mint: Mint, log: Log) -> None:
        """`rng`, `mint`: what it is drawn from; `log`: what it is told to."""
        self._rng: Final = rng
        self._mint: Final = mint
        self._log: Final = log
        self._clerks: Final = [f"S{mint.number('staff')}" for _ in range(_CLERKS)]
        self.recycled: Final[set[str]] = set()

    def register_card(self, person: Person, at_ms: int) -> None:
        """A card is handed out, and somebody writes down whose it is."""
        rng, traits = self._rng, {"name": f"{person.given} {person.family}"}
        if (address := person.address(at_ms)) and rng.random() < 0.75:
            traits["email"] = address
        if (phone := person.phone(at_ms)) and rng.random() < 0.5:
            traits["phone"] = phone
        person.known = person.known or "email" in traits
        event = self._served({"type": "identify", "traits": traits, "channel": "store"}, ("loyalty_card", person.card))
        self._log.add(TILL, at_ms, person.does(self._trap(person, traits)), event)

    def buy(self, person: Person, at_ms: int) -> None:
        """Somebody buys at the till. Without card and address on the receipt nobody ever hears of it."""
        rng, trap = self._rng, None
        card = person.card if rng.random() < 0.9 else None
        lender = rng.choice(person.household.people)
        if lender is not person and lender.card and rng.random() < _LENT * 4:
            card, trap = lender.card, Trap.CARD
        traits: Event = {}
        if (address := person.address(at_ms)) and trap is None and rng.random() < 0.25:
            slip = rng.random() < _SLIPS
            traits, trap = {"email": self._mint.mistyped(address) if slip else address}, person.mailing()
            trap = Trap.TYPO if slip else trap
        if not card and not traits:
            return
        event: Event = {"type": "track", "event": "Order Completed", "channel": "store"}
        event["properties"] = basket(rng, self._mint, person.household.currency)
        event["context"] = {"traits": traits}
        self._log.add(TILL, at_ms, person.does(trap), self._served(event, ("loyalty_card", card)))

    def call(self, person: Person, at_ms: int, *, angry: bool) -> None:
        """Somebody rings up; the agent sees the number, and may find the record."""
        rng, phone, traits = self._rng, person.phone(at_ms), dict[str, Any]()
        if phone and rng.random() < 0.9:
            traits["phone"] = phone
        if (address := person.address(at_ms)) and (not traits or rng.random() < 0.3):
            traits["email"] = address
        if not traits:
            return
        record = person.crm if rng.random() < 0.5 else None
        event: Event = {"type": "track", "event": "Complaint Received" if angry else "Call Answered"}
        event["properties"] = {
            "text": rng.choice(COMPLAINTS if angry else QUESTIONS),
            "seconds": rng.randrange(40, 900),
        }
        event |= {"channel": "call centre", "context": {"traits": traits}}
        self._log.add(CALLS, at_ms, person.does(self._trap(person, traits)), self._served(event, ("crm_id", record)))

    def read_mail(self, person: Person, at_ms: int, subject: str) -> None:
        """Somebody opens what the shop wrote."""
        event: Event = {"type": "track", "event": "Email Opened", "channel": "email"}
        event |= {"properties": {"subject": subject}, "context": {"traits": {"email": person.address(at_ms)}}}
        self._log.add(MAILS, at_ms, person.does(person.mailing()), event)

    def answer_survey(self, person: Person, at_ms: int) -> None:
        """Somebody says how likely it is that he tells a friend of the shop."""
        score = min(10, max(0, round(self._rng.gauss(7.6, 2.2))))
        event: Event = {"type": "track", "event": "Survey Answered", "channel": "survey"}
        event["properties"] = {"score": score, "comment": self._rng.choice(COMMENTS[score >= 7])}
        event["context"] = {"traits": {"email": person.address(at_ms)}}
        self._log.add(SURVEYS, at_ms, person.does(person.mailing()), event)

    def write_socially(self, person: Person, at_ms: int) -> None:
        """Somebody sends a message on a social network, with an address to be answered at, or fills in an advert."""
        rng = self._rng
        traits: Event = {"email": person.address(at_ms)}
        event: Event = {"type": "track", "event": "Message Received", "channel": "social"}
        event["properties"] = {"text": rng.choice(COMPLAINTS + QUESTIONS)}
        if (phone := person.phone(at_ms)) and rng.random() < 0.3:
            traits["phone"] = phone
            event |= {"event": "Lead Submitted", "properties": {"form": "free-sample"}}
        event["context"] = {"traits": traits}
        person.known = True
        self._log.add(SOCIAL, at_ms, person.does(self._trap(person, traits)), event)

    def keep_record(self, person: Person, at_ms: int) -> None:
        """The CRM has a record of somebody, written once or twice. Of some it has two."""
        rng = self._rng
        for _ in range(rng.choice((1, 1, 2))):
            traits = self._recorded(person, at_ms)
            event: Event = {"type": "identify", "traits": traits, "channel": "crm"}
            if person.registered and rng.random() < 0.5:
                event["userId"] = person.user_id
            event["context"] = {"externalIds": [{"type": "crm_id", "id": person.crm}]}
            self._log.add(CRM, at_ms, person.does(self._trap(person, traits)), event)
            at_ms += rng.randrange(10, 120) * DAY_MS
        if rng.random() < 0.06:
            self._keep_double(person, at_ms)

    def _keep_double(self, person: Person, at_ms: int) -> None:
        rng, traits = self._rng, self._recorded(person, at_ms)
        if "email" in traits and rng.random() < 0.4:
            traits["email"] = self._mint.mistyped(traits["email"])
        event: Event = {"type": "identify", "traits": traits, "channel": "crm"}
        event["context"] = {"externalIds": [{"type": "crm_id", "id": f"C{self._mint.number('crm')}"}]}
        self._log.add(CRM, at_ms, person.does(Trap.DUPLICATE), event)

    def _recorded(self, person: Person, at_ms: int) -> Event:
        traits: Event = {"name": f"{person.given} {person.family}", "city": person.household.town}
        if (address := person.address(at_ms)) and self._rng.random() < 0.8:
            traits["email"] = address
        if (phone := person.phone(at_ms)) and self._rng.random() < 0.8:
            traits["phone"] = phone
        return traits

    def _trap(self, person: Person, traits: Event) -> Trap | None:
        if traits.get("phone") in self.recycled:
            return Trap.RECYCLED
        return person.mailing() if "email" in traits else None

    def _served(self, event: Event, *named: tuple[str, str | None]) -> Event:
        """With the clerk who served, and whatever else identifies."""
        ids = [("staff_id", self._rng.choice(self._clerks)), *named]
        context = {
            **event.get("context", {}),
            "externalIds": [{"type": kind, "id": value} for kind, value in ids if value],
        }
        return {**event, "context": context}

    def after_order(self, person: Person, at_ms: int) -> None:
        """What an order brings about: mail, a survey, a complaint."""
        rng = self._rng
        if rng.random() < 0.5:
            self.read_mail(person, at_ms + rng.randrange(MINUTE_MS, 20 * HOUR_MS), "Your order")
        if rng.random() < 0.15:
            self.answer_survey(person, at_ms + rng.randrange(3 * DAY_MS, 12 * DAY_MS))
        if rng.random() < 0.08:
            self.call(person, daytime(rng, at_ms + rng.randrange(2, 10) * DAY_MS), angry=True)

    def over_the_year(self, person: Person) -> None:
        """What happens to somebody besides visits: newsletters, questions, messages, a record."""
        rng, begins_ms = self._rng, daytime(self._rng, START_MS + rng_day(self._rng) * DAY_MS)
        if person.known:
            for _ in range(rng.choices((0, 1, 2, 4), (40, 25, 20, 15))[0]):
                self.read_mail(person, _some_time(rng, begins_ms), "News from Alder")
        if rng.random() < 0.25:
            self.call(person, daytime(rng, _some_time(rng, START_MS)), angry=rng.random() < 0.2)
        if person.addresses and rng.random() < 0.06:
            self.write_socially(person, _some_time(rng, START_MS))
        if person.crm:
            self.keep_record(person, begins_ms)


def daytime(rng: random.Random, at_ms: int) -> int:
    """A time of that day when shops are open."""
    return at_ms - (at_ms - START_MS) % DAY_MS + rng.randrange(9 * HOUR_MS, 18 * HOUR_MS)


def rng_day(rng: random.Random) -> int:
    """A day of the year, counted from 0."""
    return rng.randrange(365)


def _some_time(rng: random.Random, since_ms: int) -> int:
    return rng.randrange(since_ms, START_MS + 365 * DAY_MS)
