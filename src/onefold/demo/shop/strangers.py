"""What is shared by people who do not know each other: kiosks, offices, telephone numbers. And a bot."""

import random
from collections.abc import Sequence
from typing import Any, Final

from onefold.demo.shop.elsewhere import Elsewhere, daytime
from onefold.demo.shop.mint import Mint
from onefold.demo.shop.people import Browser, Kind, Person
from onefold.demo.shop.telling import DAY_MS, HOUR_MS, NOBODY, SECOND_MS, START_MS, WEB, YEAR_DAYS, Log, Trap, Whose
from onefold.demo.shop.words import AGENTS, DESKS, FIRMS, PRODUCTS, TABLET_APP

Event = dict[str, Any]

_BOT: Final = Whose(NOBODY, NOBODY, Trap.BOT)


def kiosks(mint: Mint) -> list[Browser]:
    """The shop's own screens: one never forgets who was there, one does each night, one after every visit."""
    lives = (2 * YEAR_DAYS * DAY_MS, 14 * HOUR_MS, 0)
    return [Browser(mint, TABLET_APP, life, device=mint.token(), shared=True) for life in lives]


def offices(rng: random.Random, mint: Mint, people: Sequence[Person]) -> list[Person]:
    """Colleagues who give their office's address when they order; -> those who do."""
    members = [person for person in people if person.kind is Kind.MEMBER]
    rng.shuffle(members)
    colleagues: list[Person] = []
    while len(colleagues) < len(people) * 0.05 and members:
        inbox = mint.desk(rng.choice(DESKS), rng.choice(FIRMS))
        for person in (members.pop() for _ in range(min(len(members), rng.choice((4, 9, 14, 20, 26))))):
            person.inbox = inbox
            person.visits += 5
            colleagues.append(person)
    return colleagues


def recycle_numbers(rng: random.Random, mint: Mint, people: Sequence[Person], elsewhere: Elsewhere) -> None:
    """Some give up their telephone number; a few months later a stranger has it. Both ring up."""
    callers = [person for person in people if person.phones]
    rng.shuffle(callers)
    for before, after in zip(callers[0::2], callers[1::2], strict=False):
        if elsewhere.recycled and len(elsewhere.recycled) >= len(people) * 0.015:
            break
        [(_, number)] = before.phones
        given_up_ms = START_MS + rng.randrange(100, 220) * DAY_MS
        taken_ms = given_up_ms + rng.randrange(30, 90) * DAY_MS
        before.phones = [(0, number), (given_up_ms, mint.phone())]
        after.phones = [*after.phones, (taken_ms, number)]
        elsewhere.recycled.add(number)
        for person, first_ms, last_ms in ((before, START_MS, given_up_ms), (after, taken_ms, taken_ms + 50 * DAY_MS)):
            for _ in range(2):
                elsewhere.call(person, daytime(rng, rng.randrange(first_ms, last_ms)), angry=False)


def crawl(rng: random.Random, mint: Mint, log: Log, visits: int) -> None:
    """A bot reads prices, with a new cookie for each visit."""
    for _ in range(visits):
        at_ms = START_MS + rng.randrange(YEAR_DAYS * DAY_MS)
        cookie, agent = mint.token(), rng.choice(AGENTS)
        for product in rng.sample(PRODUCTS, 2):
            event: Event = {"type": "page", "name": product.name, "anonymousId": cookie}
            event["context"] = {"userAgent": agent}
            log.add(WEB, at_ms, _BOT, event)
            at_ms += SECOND_MS


def try_passwords(rng: random.Random, mint: Mint, log: Log, victims: Sequence[Person]) -> None:
    """The bot tries passwords that were stolen elsewhere: many strangers' addresses and accounts, one machine."""
    cookie, device, agent = mint.token(), mint.token(), rng.choice(AGENTS)
    for person in victims:
        at_ms = START_MS + rng.randrange(YEAR_DAYS * DAY_MS)
        event: Event = {"type": "track", "event": "Login Failed", "anonymousId": cookie, "channel": "web"}
        event["context"] = {"userAgent": agent, "device": {"id": device}}
        if person.user_id and at_ms > person.signup_ms and rng.random() < 0.5:
            event["userId"] = person.user_id
        else:
            event["context"]["traits"] = {"email": person.address(at_ms)}
        log.add(WEB, at_ms, _BOT, event)
