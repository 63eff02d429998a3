"""Whose touchpoint it is: the strongest of its identifiers that is not generic by all evidence.

Where all are generic it is the strongest of them: a page on the kiosk that nobody logged in on is the kiosk's, and the
kiosk stands alone. When an identifier becomes or stops being generic, the subjects of its touchpoints are set anew.
"""

from collections.abc import Iterable, Sequence

from onefold.model.graph import Identifier
from onefold.stitch.needs import ByNumber, LinksOf, TouchpointsBy
from onefold.stitch.rules import NO_TRUST
from onefold.stitch.work import Asking, Work


def subject_of(identifiers: Sequence[Identifier]) -> Identifier:
    """The subject of a touchpoint with these identifiers, given strongest first."""
    for identifier in identifiers:
        if identifier.generic == NO_TRUST:
            return identifier
    return identifiers[0]


def set_anew(work: Work) -> Asking:
    """Find the touchpoints whose subject another is now, because an identifier became or stopped being generic."""
    turned = [n for n, was in work.flipped.items() if was == NO_TRUST and work.owner.get(n) != 0]
    freed = [n for n, was in work.flipped.items() if work.identifiers[n].generic == NO_TRUST]
    subjects = set(turned) | set(freed)
    if freed:
        links = yield LinksOf(freed)
        subjects |= {end for link in links for end in (link.a, link.b)}
    if not subjects:
        return
    found: list[tuple[int, int, int, list[int]]] = yield TouchpointsBy(sorted(subjects))
    concerned = set(turned) | set(freed)
    rows = [row for row in found if concerned.intersection(row[3])]
    yield from load_unknown(work, (number for *_, numbers in rows for number in numbers))
    for touchpoint, was, at_ms, numbers in rows:
        now = subject_of([work.identifiers[n] for n in numbers])
        if now.id != was:
            work.subjects[touchpoint] = now.id
            touch(work, now, at_ms)


def touch(work: Work, subject: Identifier, at_ms: int) -> None:
    """A touchpoint of this time has it as its subject."""
    if subject.touched_first_ms is None or at_ms < subject.touched_first_ms:
        subject.touched_first_ms = at_ms
        work.changed_identifiers[subject.id] = subject
    if subject.touched_last_ms is None or at_ms > subject.touched_last_ms:
        subject.touched_last_ms = at_ms
        work.changed_identifiers[subject.id] = subject


def load_unknown(work: Work, numbers: Iterable[int]) -> Asking:
    """Take in those of these identifiers that are not in hand."""
    missing = set(numbers) - work.identifiers.keys()
    if missing:
        work.take((yield ByNumber(sorted(missing))))
