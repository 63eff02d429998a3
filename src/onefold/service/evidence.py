"""Links: what was seen together, and why some of it joins nobody."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from onefold.errors import OnefoldError
from onefold.model.reading import KnownCustomer, KnownIdentifier, KnownLink
from onefold.service.pages import LINKS, Page
from onefold.service.reading import Reading
from onefold.service.values import Evidence, Refusal, SourceEvidence
from onefold.stitch.rules import APART, GENERIC, Rules, generic_at

LinkPage: TypeAlias = Page[Evidence]


def links(reading: Reading, identifier: Sequence[int], size: int, after: str | None = None) -> list[LinkPage]:
    """A page of the links of each identifier, refused ones too. Raises `query.bad_cursor`, `query.page_too_large`.

    A cursor is a link of the identifier's own, so with `after` there can be one identifier only.
    """
    position = LINKS.read(after)
    beyond = None if position is None else position[0]
    if beyond is not None and any(number not in (beyond >> 32, beyond & 0xFFFFFFFF) for number in identifier):
        raise OnefoldError("query.bad_cursor", "the cursor is not of this identifier's links", None, "after")
    size = reading.page_size(size)
    found = reading.view.links(identifier, size + 1, beyond)
    return _pages(reading, [found.get(number, []) for number in identifier], size)


def refused_links(reading: Reading, customers: Sequence[int], size: int, after: str | None = None) -> list[LinkPage]:
    """A page of the links between each customer and others. Raises `query.bad_cursor`, `query.page_too_large`.

    A cursor is a link of the customer's own, so with `after` there can be one customer only.
    """
    position = LINKS.read(after)
    beyond = None if position is None else position[0]
    if beyond is not None:
        ends = (beyond >> 32, beyond & 0xFFFFFFFF)
        known = reading.identifiers(ends)
        if not any(end in known and known[end].customer == customers[0] for end in ends):
            raise OnefoldError("query.bad_cursor", "the cursor is not of this customer's links", None, "after")
    size = reading.page_size(size)
    found = reading.view.refused_links(customers, size + 1, beyond)
    return _pages(reading, [found.get(customer, []) for customer in customers], size)


def _pages(reading: Reading, found: Sequence[list[KnownLink]], size: int) -> list[LinkPage]:
    shown = iter(evidence(reading, [link for rows in found for link in rows[:size]]))
    pages = []
    for rows in found:
        items = tuple(next(shown) for _ in rows[:size])
        pages.append(Page(items, tuple((item.link.pair,) for item in items), more=len(rows) > size))
    return pages


def evidence(reading: Reading, found: Sequence[KnownLink]) -> list[Evidence]:
    """Links with their ends and the names of their sources."""
    if not found:
        return []
    known = reading.identifiers({end for link in found for end in (link.a, link.b)})
    sources = reading.view.sources()
    return [
        Evidence(
            link,
            known[link.a],
            known[link.b],
            tuple(
                SourceEvidence(sources[s.source].name, sources[s.source].trust, s.first_ms, s.last_ms, s.count)
                for s in link.seen
            ),
        )
        for link in found
    ]


def refusals(reading: Reading, found: Sequence[Evidence]) -> list[Refusal | None]:
    """Why each link does not join, None for those that do.

    The reason is the first rule that the customers at its two ends, as they are now, would break together.
    """
    customers = reading.customers({key for link in found for key in (link.a.customer, link.b.customer)} - {0})
    between = {_pair(customers[link.a.customer], customers[link.b.customer]) for link in found if _refused(link)}
    apart = judged_apart(reading, between)
    rules = reading.means.rules
    return [_refusal(rules, link, customers, apart) if _refused(link) else None for link in found]


def _refused(link: Evidence) -> bool:
    return link.a.customer != link.b.customer


def _pair(one: KnownCustomer, other: KnownCustomer) -> tuple[KnownCustomer, KnownCustomer]:
    return (one, other) if one.key < other.key else (other, one)


def judged_apart(
    reading: Reading, pairs: Collection[tuple[KnownCustomer, KnownCustomer]]
) -> dict[frozenset[int], list[int]]:
    """Of these pairs of customers, those that a standing judgement says are different.

    Returns: both keys -> numbers of the judgements.
    """
    concerned = {key for pair in pairs if all(c.apart for c in pair) for key in (pair[0].key, pair[1].key)}
    if not concerned:
        return {}
    owner = {i.number: key for key, members in reading.members(concerned).items() for i in members}
    found: dict[frozenset[int], list[int]] = {}
    for judgement in reading.view.judgements(list(owner)):
        if not judgement.same and judgement.a in owner and judgement.b in owner:
            found.setdefault(frozenset((owner[judgement.a], owner[judgement.b])), []).append(judgement.number)
    return found


def is_generic(ends: Mapping[int, KnownIdentifier], link: KnownLink) -> bool:
    """Whether a link is refused because one of its ends is generic by evidence trusted as well as it."""
    return generic_at(link.rank, ends[link.a].generic_from, ends[link.b].generic_from)


def _refusal(
    rules: Rules, shown: Evidence, customers: dict[int, KnownCustomer], apart: Collection[frozenset[int]]
) -> Refusal:
    one, other = customers[shown.a.customer], customers[shown.b.customer]
    if is_generic({shown.a.number: shown.a, shown.b.number: shown.b}, shown.link):
        generic = [end.key.namespace for end in (shown.a, shown.b) if end.generic]
        return explained(rules, rules.reason(GENERIC), generic)
    if frozenset((one.key, other.key)) in apart:
        return explained(rules, rules.reason(APART))
    broken = rules.over(one.counts, one.size, other.counts, other.size, shown.link.rank)
    return explained(rules, rules.reason(next(broken, shown.link.mark)))


def explained(rules: Rules, reason: str, generic: Iterable[str] = ()) -> Refusal:
    """What a reason code means, and what would change it. `generic`: namespaces of the generic ends."""
    rule, _, namespace = reason.partition(":")
    match rule:
        case "generic":
            shared = " and the ".join(generic) or "one of them"
            return Refusal(
                reason,
                f"Generic: the {shared} is seen with more people than one customer's would be, and joins nobody.",
                "Judge the two the same if they are one customer.",
            )
        case "judged_different":
            return Refusal(
                reason,
                "Somebody judged that these are different customers.",
                "Retract that judgement if it was mistaken.",
            )
        case "limit":
            most = rules.limits[rules.slot[namespace]]
            return Refusal(
                reason,
                f"Together they would hold more than {most} {namespace}: the most that one customer may have.",
                f"Judge two of their {namespace} the same if they are one person's; they then count once.",
            )
        case "weak_bridge":
            return Refusal(
                reason,
                f"Each has a {namespace} of its own, and what connects them is weaker than that.",
                f"An event with both joins them, or any link as strong as a {namespace}; so does a judgement.",
            )
        case _:
            return Refusal(
                reason,
                f"Together they would hold more than {rules.size_limit:,} identifiers.",
                "A judgement joins them whatever their size.",
            )
