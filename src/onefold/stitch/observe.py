"""First step: what a batch adds to the evidence. Nothing is decided here, and all of it commutes.

Links get the sightings of every pair of identifiers of an event; identifiers get their times and the numbers of values
they were seen with, from which follows who is generic.
"""

from collections.abc import Iterable, Sequence

from onefold.model.graph import Identifier, Link, Observation, Seen
from onefold.stitch.needs import ByKey
from onefold.stitch.ranks import best_trust
from onefold.stitch.rules import INSIDE, NO_TRUST
from onefold.stitch.work import Asking, Work


def load(work: Work, observations: Sequence[Observation]) -> Asking:
    """Take in all that these observations name: identifiers, customers, links."""
    keys = {key for observation in observations for key in observation.keys}
    known = work.take((yield ByKey(list(keys - work.by_key.keys()))))
    yield from work.load_customers(known)
    by_key, pairs = work.by_key, set()
    for observation in observations:
        if len(observation.keys) > 1:
            rows = [by_key[key] for key in observation.keys if key in by_key]
            if any(row.one is not None for row in rows):
                rows = with_alike(work, rows)
            for k, one in enumerate(rows):
                for other in rows[:k]:
                    pairs.add(pair_of(work, one, other))
    yield from work.load_links(pairs)


def with_alike(work: Work, rows: Sequence[Identifier]) -> list[Identifier]:
    """These and those of their namespaces that are judged one with them: a value seen before under another name is
    not seen anew."""
    return [work.identifiers[number] for number in dict.fromkeys(i for row in rows for i in alike_to(work, row))]


def pair_of(work: Work, one: Identifier, other: Identifier) -> int:
    """The pair number of two identifiers: the weaker end first; within a namespace the younger."""
    if one.key.namespace == other.key.namespace:
        weaker = one.id > other.id
    else:
        weaker = work.rules.a_is_weaker(one.key, other.key)
    return one.id << 32 | other.id if weaker else other.id << 32 | one.id


def ambiguous(work: Work, observation: Observation) -> bool:
    """Whether it holds more values of a limited namespace than one customer may, those judged one counted once."""
    held: dict[str, set[int | str]] = {}
    for key in observation.keys:
        row = work.by_key.get(key)
        held.setdefault(key.namespace, set()).add(key.value if row is None else row.one or row.id)
    rules = work.rules
    return any(name in rules.slot and len(values) > rules.limits[rules.slot[name]] for name, values in held.items())


def observe(work: Work, position: int, observation: Observation) -> list[Identifier]:
    """Count one observation; -> its identifiers, strongest first. `position`: its place in the batch."""
    rows, at_ms, changed = [], observation.at_ms, work.changed_identifiers
    for key in observation.keys:
        row = work.by_key.get(key)
        if row is None:
            row = work.make_identifier(key, at_ms, position)
        elif at_ms < row.first_ms:
            row.first_ms = at_ms
            changed[row.id] = row
        elif at_ms > row.last_ms:
            row.last_ms = at_ms
            changed[row.id] = row
        rows.append(row)
    for k in range(1, len(rows)):
        one = rows[k]
        for other in rows[:k]:
            see(work, position, observation, one, other)
    return rows


def see(work: Work, position: int, observation: Observation, one: Identifier, other: Identifier) -> None:
    """Two identifiers of one observation, the stronger one second."""
    pair = pair_of(work, one, other)
    link, source, at_ms = work.links.get(pair), observation.source, observation.evidence_ms
    if link is None:
        link = Link(pair >> 32, pair & 0xFFFFFFFF, INSIDE, None, [Seen(source, at_ms, at_ms, 1)])
        work.links[pair] = work.new_links[pair] = link
        work.causes[pair] = position
        count(work, link, NO_TRUST)
        return
    work.seen_links[pair] = link
    for seen in link.seen:
        if seen.source == source:
            seen.count += 1
            if at_ms < seen.first_ms:
                seen.first_ms = at_ms
                work.causes.setdefault(pair, position)
            elif at_ms > seen.last_ms:
                seen.last_ms = at_ms
                work.causes.setdefault(pair, position)
            return
    before = best_trust(link.seen, work.trusts)
    link.seen.append(Seen(source, at_ms, at_ms, 1))
    work.causes.setdefault(pair, position)
    count(work, link, before)


def count(work: Work, link: Link, before: int) -> None:
    """A link's best trust was `before`: its weaker end may have been seen with one value more of a stronger one."""
    now = best_trust(link.seen, work.trusts)
    if now >= before:
        return
    weak, strong = work.ends(link)
    counter = work.rules.watched[weak.key.namespace].get(strong.key.namespace)
    if counter is None:
        return
    alike = () if strong.one is None else [i for i in alike_to(work, strong) if i != strong.id]
    for trust in range(now, before):
        if not any(saw(work, weak, other, trust) for other in alike):
            add_seen(work, weak, counter + trust, 1)


def alike_to(work: Work, identifier: Identifier) -> Iterable[int]:
    """Those of its own namespace that are judged one with it, itself included."""
    return (
        number for number in work.one(identifier) if work.identifiers[number].key.namespace == identifier.key.namespace
    )


def saw(work: Work, weak: Identifier, strong: int, trust: int) -> bool:
    """Whether it was seen with that stronger one by a source of this trust or better. Such links are in hand."""
    link = work.links.get(weak.id << 32 | strong)
    return link is not None and best_trust(link.seen, work.trusts) <= trust


def add_seen(work: Work, identifier: Identifier, counter: int, more: int) -> None:
    """One of an identifier's counters changes; whether it is generic follows."""
    namespace = identifier.key.namespace
    if identifier.seen is None:
        identifier.seen = [0] * (NO_TRUST * len(work.rules.watched[namespace]))
    identifier.seen[counter] += more
    work.changed_identifiers[identifier.id] = identifier
    if more > 0 and identifier.seen[counter] <= work.rules.thresholds[namespace][counter // NO_TRUST]:
        return
    generic = work.rules.generic_from(namespace, identifier.seen)
    if generic != identifier.generic:
        was = work.flipped.setdefault(identifier.id, identifier.generic)
        identifier.generic = generic
        if was == generic:
            del work.flipped[identifier.id]
