"""What people do in the web shop and in its app."""

import random
from typing import Any, Final

from onefold.demo.shop.mint import Mint
from onefold.demo.shop.people import Browser, Kind, Person
from onefold.demo.shop.telling import APP, HOUR_MS, MAILS, MINUTE_MS, SECOND_MS, SERVER, WEB, Log, Trap, Whose, iso
from onefold.demo.shop.words import CAMPAIGNS, PRODUCTS, TABLET_APP, Product

Event = dict[str, Any]

ALDER: Final = "https://alder-coffee.example"
_BUYS: Final = 0.2
_SLIPS: Final = 0.03


class Visit:
    """One visit to the web shop or the app: pages, perhaps a log-in on the way, perhaps an order at the end."""

    def __init__(self, rng: random.Random, mint: Mint, log: Log) -> None:
        """What it is drawn from and told to."""
        self._rng: Final = rng
        self._mint: Final = mint
        self._log: Final = log

    def make(self, person: Person, browser: Browser, at_ms: int, trap: Trap | None = None) -> int | None:
        """Somebody comes by; -> when an order was made, None if none was."""
        rng = self._rng
        self._sit_down(person, browser, at_ms)
        pages = 1 + min(int(rng.expovariate(1 / 2.6)), 11)
        logs_in = rng.randrange(pages + 1) if self._will_log_in(person, browser, at_ms) else None
        campaign, mailed = self._reason(person, at_ms)
        whose = person.does(trap or (Trap.TABLET if browser.shared else None))
        for page in range(pages):
            if page == logs_in:
                self._log_in(person, browser, at_ms, whose)
            event = self._page(page) if browser.device is None else self._screen(page)
            self._tell(browser, at_ms, whose, event, campaign, mailed if page == 0 else None)
            at_ms += rng.randrange(5 * SECOND_MS, 3 * MINUTE_MS)
        if logs_in == pages:
            self._log_in(person, browser, at_ms, whose)
        if rng.random() < _BUYS and (browser.user is not None or person.kind in {Kind.GUEST, Kind.MEMBER}):
            self._order(person, browser, at_ms, whose)
            return at_ms
        return None

    def _sit_down(self, person: Person, browser: Browser, at_ms: int) -> None:
        """Whoever was logged in before is logged out, mostly; apps take a new name then, websites often forget to."""
        browser.cookie_at(at_ms)
        if browser.user not in (None, person) and self._rng.random() < 0.9:
            browser.user = None
            if browser.device is not None or self._rng.random() < 0.4:
                browser.renew(at_ms)

    def _will_log_in(self, person: Person, browser: Browser, at_ms: int) -> bool:
        if person.user_id is None or at_ms < person.signup_ms or browser.user is not None:
            return False
        return not person.registered or browser is person.app or self._rng.random() < person.careful

    def _reason(self, person: Person, at_ms: int) -> tuple[Event | None, str | None]:
        """Why somebody comes: the campaign, and the address that a link in a newsletter carries."""
        rng = self._rng
        if person.known and rng.random() < 0.18:
            return {"name": "newsletter", "source": "newsletter", "medium": "email"}, person.address(at_ms)
        if rng.random() < 0.3:
            name, source, medium = rng.choice(CAMPAIGNS)
            return {"name": name, "source": source, "medium": medium}, None
        return None, None

    def _log_in(self, person: Person, browser: Browser, at_ms: int, whose: Whose) -> None:
        browser.user = person
        traits: Event = {}
        if not person.registered:
            traits = {
                "name": f"{person.given} {person.family}",
                "email": person.address(at_ms),
                "created_at": iso(at_ms),
            }
            signed_up: Event = {"type": "track", "event": "Signed Up", "userId": person.user_id, "channel": "web"}
            self._log.add(SERVER, at_ms, whose, signed_up | {"context": {"traits": {"email": traits["email"]}}})
        elif self._rng.random() < 0.5:
            traits = {"email": person.address(at_ms)}
        person.registered = person.known = True
        self._tell(browser, at_ms - SECOND_MS, whose, {"type": "identify", "traits": traits})

    def _page(self, place: int) -> Event:
        rng, product = self._rng, self._rng.choice(PRODUCTS)
        kind = (
            "home"
            if place == 0 and rng.random() < 0.5
            else rng.choice(("shelf", "product", "product", "cart", "search"))
        )
        if kind == "home":
            return _page("Home", "/")
        if kind == "shelf":
            return _page(product.shelf.title(), f"/{product.shelf}")
        if kind == "search":
            return {
                "type": "track",
                "event": "Products Searched",
                "properties": {"query": product.name.split()[0].lower()},
            }
        if kind == "cart":
            return {"type": "track", "event": "Product Added", "properties": _shown(product)}
        return {"type": "track", "event": "Product Viewed", "properties": _shown(product)}

    def _screen(self, place: int) -> Event:
        product = self._rng.choice(PRODUCTS)
        if place == 0:
            return {"type": "screen", "name": "Start"}
        if self._rng.random() < 0.3:
            return {"type": "track", "event": "Product Viewed", "properties": _shown(product)}
        return {"type": "screen", "name": product.name}

    def _tell(
        self,
        browser: Browser,
        at_ms: int,
        whose: Whose,
        event: Event,
        campaign: Event | None = None,
        mailed: str | None = None,
    ) -> None:
        context: Event = {"userAgent": browser.agent}
        if browser.device is not None:
            context["device"] = {"id": browser.device, "type": "tablet" if browser.agent == TABLET_APP else "phone"}
        if campaign:
            context["campaign"] = campaign
        if mailed:
            context["traits"] = {"email": mailed}
        event |= {
            "anonymousId": browser.cookie,
            "channel": "web" if browser.device is None else "app",
            "context": context,
        }
        if browser.user is not None:
            event["userId"] = browser.user.user_id
        self._log.add(WEB if browser.device is None else APP, at_ms, whose, event)

    def _order(self, person: Person, browser: Browser, at_ms: int, whose: Whose) -> None:
        """The shop's server says what was bought, and by whom: the account, or what a guest typed."""
        rng = self._rng
        event: Event = {
            "type": "track",
            "event": "Order Completed",
            "channel": "web" if browser.device is None else "app",
        }
        event["properties"] = basket(rng, self._mint, person.household.currency)
        traits: Event = {}
        if browser.user is None:
            traits, trap = self._typed(person, at_ms)
            if trap is Trap.TYPO or not whose.trap:
                whose = person.does(trap)
        elif browser.user is person and person.inbox and rng.random() < 0.75:
            traits, whose = {"email": person.inbox}, person.does(Trap.INBOX)
        if browser.user is not None:
            event["userId"] = browser.user.user_id
        if rng.random() < 0.75:
            event["anonymousId"] = browser.cookie
        event["context"] = {"traits": traits} if traits else {}
        self._log.add(SERVER, at_ms + rng.randrange(SECOND_MS, MINUTE_MS), whose, event)
        person.known = person.known or bool(person.addresses)

    def _typed(self, person: Person, at_ms: int) -> tuple[Event, Trap | None]:
        """What a guest types at the check-out, with a slip now and then."""
        address, phone, trap = person.address(at_ms), person.phone(at_ms), person.mailing()
        if address and self._rng.random() < _SLIPS:
            address, trap = self._mint.mistyped(address), Trap.TYPO
        traits: Event = {"email": address, "name": f"{person.given} {person.family}"}
        if phone and self._rng.random() < 0.5:
            traits["phone"] = phone
        return traits, trap

    def office_mail(self, person: Person, at_ms: int) -> None:
        """Somebody reads the office's mail about an order."""
        event: Event = {"type": "track", "event": "Email Opened", "channel": "email"}
        event["context"] = {"traits": {"email": person.inbox}}
        at_ms += int(self._rng.expovariate(1 / (5 * HOUR_MS)))
        self._log.add(MAILS, at_ms, person.does(Trap.INBOX), event)


def basket(rng: random.Random, mint: Mint, currency: str) -> Event:
    """What an order or a receipt says was bought."""
    lines = []
    total = 0
    for product in rng.sample(PRODUCTS, rng.choices((1, 2, 3), (55, 30, 15))[0]):
        quantity = rng.choices((1, 2, 4), (75, 20, 5))[0]
        price = product.price if currency == "GBP" else product.price * 118 // 100
        total += quantity * price
        lines.append({"product_id": product.sku, "name": product.name, "price": price / 100, "quantity": quantity})
    order = str(mint.number("order"))
    return {"order_id": order, "revenue": total / 100, "currency": currency, "products": lines}


def _page(name: str, path: str) -> Event:
    return {"type": "page", "name": name, "properties": {"url": f"{ALDER}{path}"}}


def _shown(product: Product) -> Event:
    return {"product_id": product.sku, "name": product.name, "category": product.shelf, "price": product.price / 100}
