"""Why two identifiers are one customer, or why not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import KnownCustomer, KnownIdentifier, KnownLink
from onefold.service.evidence import evidence, explained, is_generic, judged_apart, refusals
from onefold.service.reading import Reading
from onefold.service.values import Apart, Evidence, Explanation, NeverSeen, Refusal, Step, Together
from onefold.stitch.explain import Pair, strongest_chain
from onefold.stitch.rules import APART

SHOWN: Final = 10
READ_WHOLE: Final = 2_000
"""Two customers of at most so many identifiers together have all links between them looked at."""


def why(reading: Reading, a: IdentifierKey, b: IdentifierKey) -> Explanation:
    """Whether two identifiers are one customer, and what makes them so or keeps them apart.

    Raises OnefoldError with the code of what is wrong with one of them, naming `a` or `b`.
    """
    first, second = reading.key(a, "a"), reading.key(b, "b")
    known = reading.view.by_key(list({first, second}))
    reading.remember(known.values())
    unknown = tuple(dict.fromkeys(key for key in (first, second) if key not in known))
    if unknown or not (known[first].customer and known[second].customer):
        return NeverSeen(first, second, unknown)
    one, other = known[first], known[second]
    if one.customer == other.customer:
        return _together(reading, one, other)
    return _apart(reading, one, other) or NeverSeen(first, second, ())


# -- together


def _together(reading: Reading, one: KnownIdentifier, other: KnownIdentifier) -> Together:
    customer = reading.customers([one.customer])[one.customer]
    members = {i.number: i for i in reading.members([customer.key])[customer.key]}
    judged = _judged_same(reading, members)
    links = [link for link in reading.view.links_between(list(members)) if not is_generic(members, link)]
    links.sort(key=lambda link: sorted((members[link.a].key, members[link.b].key)))  # settles equal ranks
    chain = strongest_chain(links, judged, one.number, other.number)
    if chain is None:
        raise RuntimeError(f"nothing connects {one.public_id} and {other.public_id}, yet they are one customer")
    return Together(one.key, other.key, customer, tuple(_steps(reading, chain, links, judged, members, one.number)))


def _judged_same(reading: Reading, members: Collection[int]) -> dict[Pair, Judgement]:
    found = reading.view.judgements(list(members))
    return {(j.a, j.b): j for j in found if j.same and j.a in members and j.b in members}


def _steps(
    reading: Reading,
    chain: Sequence[KnownLink | Pair],
    links: Sequence[KnownLink],
    judged: Mapping[Pair, Judgement],
    members: Mapping[int, KnownIdentifier],
    at: int,
) -> Iterator[Step]:
    """The chain's steps from the identifier `at` on, each with its evidence, its judgement or both."""
    ways = [(step.a, step.b) if isinstance(step, KnownLink) else step for step in chain]
    wanted = {frozenset(way) for way in ways}
    seen = {frozenset((e.link.a, e.link.b)): e for e in evidence(reading, [k for k in links if {k.a, k.b} in wanted])}
    said = {frozenset(pair): judgement for pair, judgement in judged.items()}
    for a, b in ways:
        following = b if a == at else a
        way = frozenset((a, b))
        yield Step(members[at].key, members[following].key, seen.get(way), said.get(way))
        at = following


# -- apart


def _apart(reading: Reading, one: KnownIdentifier, other: KnownIdentifier) -> Apart | None:
    found = reading.customers({one.customer, other.customer})
    customers = (found[one.customer], found[other.customer])
    numbers = judged_apart(reading, [customers]).get(frozenset((one.customer, other.customer)), [])
    judgements = tuple(reading.view.judgements_by_number(numbers).values()) if numbers else ()
    refused = _between(reading, customers, one, other) or ([] if judgements else _through_a_third(reading, customers))
    if not refused and not judgements:
        return None
    shown = evidence(reading, refused)
    return Apart(one.key, other.key, customers, _reason(reading, shown), tuple(shown), judgements)


def _reason(reading: Reading, shown: Sequence[Evidence]) -> Refusal:
    first = refusals(reading, shown[:1])
    rules = reading.means.rules
    return (first[0] if first else None) or explained(rules, rules.reason(APART))


def _between(
    reading: Reading, customers: tuple[KnownCustomer, KnownCustomer], one: KnownIdentifier, other: KnownIdentifier
) -> list[KnownLink]:
    """The refused links between two customers: those of the two identifiers themselves first, then the strongest."""
    keys = {customer.key for customer in customers}
    if sum(customer.size for customer in customers) <= READ_WHOLE:
        members = reading.members(keys)
        links = reading.view.links_between([i.number for group in members.values() for i in group])
    else:
        pairs = [one.number << 32 | other.number, other.number << 32 | one.number]
        read = reading.view.refused_links(list(keys), reading.means.most)
        links = [*reading.view.links_by_pair(pairs).values(), *(link for group in read.values() for link in group)]
    known = reading.identifiers({end for link in links for end in (link.a, link.b)})
    between = {link.pair: link for link in links if {known[link.a].customer, known[link.b].customer} == keys}
    asked = {one.number, other.number}
    return sorted(between.values(), key=lambda link: (-len(asked & {link.a, link.b}), link.rank, link.pair))[:SHOWN]


def _through_a_third(reading: Reading, customers: tuple[KnownCustomer, KnownCustomer]) -> list[KnownLink]:
    """A refused link from each of the two customers to one and the same third; the strongest such pair."""
    read = reading.view.refused_links([customer.key for customer in customers], reading.means.most)
    known = reading.identifiers({end for links in read.values() for link in links for end in (link.a, link.b)})
    strongest: list[dict[int, KnownLink]] = []
    for customer in customers:
        reached: dict[int, KnownLink] = {}
        for link in sorted(read.get(customer.key, []), key=lambda link: (link.rank, link.pair)):
            far = next(known[end].customer for end in (link.b, link.a) if known[end].customer != customer.key)
            reached.setdefault(far, link)
        strongest.append(reached)
    shared = strongest[0].keys() & strongest[1].keys()
    if not shared:
        return []
    third = min(shared, key=lambda key: (max(reached[key].rank for reached in strongest), key))
    return [reached[third] for reached in strongest]
