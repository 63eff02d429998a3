"""Makes identifiers: none is given out twice, in whatever town, and none tells whose it is."""

import random
from itertools import pairwise
from typing import Final

from onefold.demo.shop.words import PROVIDERS

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_BLOCK: Final = 100_000
_NEIGHBOURS: Final = {a: b for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for a, b in pairwise(row)}


class Mint:
    """The identifiers of one town. Each town has a block of numbers, and mail providers, of its own."""

    def __init__(self, rng: random.Random, town: int) -> None:
        """`town` counts from 0."""
        self._rng: Final = rng
        self._first: Final = (town + 1) * _BLOCK
        self._region: Final = _in_letters(town)
        self._numbers: Final[set[tuple[str, int]]] = set()
        self._addresses: Final[set[str]] = set()

    def number(self, kind: str) -> int:
        """A number of this kind, such as those of accounts."""
        while True:
            number = self._first + self._rng.randrange(_BLOCK)
            if (kind, number) not in self._numbers:
                self._numbers.add((kind, number))
                return number

    def token(self) -> str:
        """What a browser or a device is called."""
        return f"{self._rng.getrandbits(96):024x}"

    def phone(self) -> str:
        """A number as people write it; of a British range that is given to nobody."""
        number = f"{self.number('phone'):09d}"
        return self._rng.choice((f"+446{number}", f"+44 6{number[:3]} {number[3:]}", f"+44 (0)6{number}"))

    def address(self, given: str, family: str) -> str:
        """An e-mail address, as people choose them."""
        rng = self._rng
        given, family = given.lower(), family.lower()
        local = rng.choice((f"{given}.{family}", f"{given[0]}.{family}", f"{given}{family}", f"{family}.{given}"))
        if rng.random() < 0.4:
            local += str(rng.randrange(55, 105) % 100).zfill(2)
        [provider] = rng.choices([name for name, _ in PROVIDERS], [weight for _, weight in PROVIDERS])
        while (address := f"{local}@{provider}-{self._region}.example") in self._addresses:
            local += str(rng.randrange(10))
        self._addresses.add(address)
        return address

    def desk(self, desk: str, firm: str) -> str:
        """The address of a firm's desk."""
        address = f"{desk}@{firm}{self.number('firm')}.example"
        self._addresses.add(address)
        return address

    def mistyped(self, address: str) -> str:
        """The address with a slip. Now and then that is somebody else's: the number at its end was forgotten."""
        rng = self._rng
        local, _, domain = address.partition("@")
        if (short := local.rstrip("0123456789")) != local and rng.random() < 0.5:
            return f"{short}@{domain}"
        place = rng.randrange(len(local) - 1)
        slips = (
            local[:place] + local[place + 1 :],
            local[:place] + local[place] + local[place:],
            local[:place] + _NEIGHBOURS.get(local[place], "x") + local[place + 1 :],
        )
        return f"{rng.choice(slips).strip('.')}@{domain}"


def _in_letters(number: int) -> str:
    text = ""
    while True:
        text = _LETTERS[number % 26] + text
        number //= 26
        if not number:
            return text
