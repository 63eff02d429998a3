"""Who was made one customer with whom by what they share, on cases worked by hand."""

from onefold.demo.measuring.glue import Glued, glue
from onefold.demo.measuring.seen import NOBODY, Seen, Stitched

ANN, BEN, CHLOE = 1, 2, 3
ANNS, BENS, CHLOES, KIOSK, COOKIE = 1, 2, 3, 4, 5
TELLING = frozenset({ANNS, BENS, CHLOES})


def seen(person: int, *identifiers: int, trap: str | None = None, household: int | None = None) -> Seen:
    return Seen(0, person, person if household is None else household, trap, None, identifiers)


def stitched(*groups: set[int]) -> Stitched:
    customer = [0] * 6
    for number, group in enumerate(groups, 1):
        for identifier in group:
            customer[identifier] = number
    return Stitched(customer, frozenset(), TELLING)


AT_KIOSK = [
    seen(ANN, ANNS, KIOSK, trap="kiosk"),
    seen(ANN, ANNS, KIOSK, trap="kiosk"),
    seen(BEN, BENS, KIOSK, trap="kiosk"),
    seen(CHLOE, CHLOES, KIOSK, trap="kiosk"),
]


def test_strangers_in_one_customer_are_glued_by_what_they_share() -> None:
    everybody, by_trap = glue(AT_KIOSK, stitched({ANNS, BENS, KIOSK}, {CHLOES}))
    assert everybody == Glued(strangers=1)
    assert by_trap == {"kiosk": Glued(strangers=1)}


def test_nobody_is_glued_where_each_is_a_customer() -> None:
    assert glue(AT_KIOSK, stitched({ANNS, KIOSK}, {BENS}, {CHLOES})) == (Glued(), {})


def test_who_lives_together_is_counted_apart() -> None:
    family = [seen(ANN, ANNS, COOKIE, household=1), seen(BEN, BENS, COOKIE, trap="tablet", household=1)]
    everybody, by_trap = glue(family, stitched({ANNS, BENS, COOKIE}))
    assert (everybody, by_trap) == (Glued(family=1), {"tablet": Glued(family=1)})


def test_only_the_touchpoints_of_who_was_glued_name_the_trap() -> None:
    mistyped = [seen(ANN, ANNS, COOKIE, trap="tablet")] * 2 + [seen(BEN, BENS, COOKIE, trap="typo")]
    _, by_trap = glue(mistyped, stitched({ANNS, BENS, COOKIE}))
    assert by_trap == {"typo": Glued(strangers=1)}


def test_a_kiosk_does_not_glue_who_shares_a_number_that_was_typed_there() -> None:
    """It is the number that glues them: a recycled one, say."""
    own = [seen(ANN, ANNS, CHLOES)] * 2 + [seen(BEN, BENS, CHLOES, trap="kiosk")]
    assert glue(own, stitched({ANNS, BENS, CHLOES})) == (Glued(strangers=1), {})


def test_what_two_people_carry_is_nobodys_own() -> None:
    lent = [seen(ANN, ANNS, COOKIE), seen(BEN, BENS, COOKIE), seen(CHLOE, BENS)]
    assert glue(lent, stitched({ANNS, BENS, COOKIE})) == (Glued(), {})
    assert glue(lent[:2], stitched({ANNS, BENS, COOKIE})) == (Glued(strangers=1), {})


def test_a_script_glues_those_whose_accounts_it_tried() -> None:
    own = [seen(ANN, ANNS), seen(BEN, BENS)]
    script = [seen(NOBODY, ANNS, COOKIE, trap="bot"), seen(NOBODY, BENS, COOKIE, trap="bot")]
    assert glue([*own, *script], stitched({ANNS, BENS, COOKIE})) == (Glued(strangers=1), {"bot": Glued(strangers=1)})
    assert glue([*own, *script], stitched({ANNS}, {BENS}, {COOKIE})) == (Glued(), {})
