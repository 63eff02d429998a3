"""Saving segments, and deleting them."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from onefold.analytics.segments import parse
from onefold.analytics.segments.nesting import named
from onefold.analytics.segments.plain import plain
from onefold.analytics.segments.required import required, unknown
from onefold.analytics.segments.settle import settle
from onefold.errors import OnefoldError
from onefold.model.ids import encode_number
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import segment_rules, segments
from onefold.service.keeping.clearing import clear
from onefold.store.base import Transaction

if TYPE_CHECKING:
    from onefold.service.onefold import Onefold

LONGEST_NAME: Final = 200
LONGEST_DESCRIPTION: Final = 2_000
MOST_TRIES: Final = 5
LIKE_AN_ID: Final = "seg_"
"""Who names a segment may say its id or its name."""
NEW: Final = "a new segment"
"""What stands for the id of a segment that has none yet, while its rule is settled."""


def save(onefold: "Onefold", draft: SegmentDraft, id: str | None, *, allow_unknown: bool) -> SavedSegment:  # noqa: A002
    """Save the segment of this id as the draft says, or a new one. Its members are not found yet.

    Raises: OnefoldError as `Onefold.save_segment` does.
    """
    number = None if id is None else segments.number_of(id, "id")
    draft = _checked(draft)
    for _ in range(MOST_TRIES):
        listed = onefold.in_one_state(segments.listed)
        settled = _settled(onefold, draft, listed, id, allow_unknown=allow_unknown)
        saved = onefold.in_transaction(partial(_write, draft=settled, number=number, listed=listed, onefold=onefold))
        if saved is not None:
            return saved
    raise OnefoldError("store.busy", "other segments are saved all the time", "Save it again.")


def _checked(draft: SegmentDraft) -> SegmentDraft:
    """The draft with its texts trimmed. Raises `segment.invalid`."""
    name, description = draft.name.strip(), (draft.description or "").strip()
    for field, said, most in (("name", name, LONGEST_NAME), ("description", description, LONGEST_DESCRIPTION)):
        if len(said) > most:
            found = f"the {field} has {len(said)} characters"
            raise OnefoldError("segment.invalid", found, f"Say it in {most}.", field)
    if not name:
        raise OnefoldError("segment.invalid", "the name is empty", "Say in a few words who is in it.", "name")
    if name.startswith(LIKE_AN_ID):
        said = f"the name begins with {LIKE_AN_ID}, as ids do"
        raise OnefoldError("segment.invalid", said, "Say in a few words who is in it.", "name")
    consent = required(draft.require_consent)
    return replace(draft, name=name, description=description or None, require_consent=consent)


def _settled(
    onefold: "Onefold",
    draft: SegmentDraft,
    listed: Sequence[SavedSegment],
    id: str | None,  # noqa: A002
    *,
    allow_unknown: bool,
) -> SegmentDraft:
    """The draft with its rule settled."""
    rule = parse.rule(msgspec.json.decode(draft.rule))
    around = segment_rules.surroundings(onefold.means, listed, onefold.clock_ms())
    with onefold.ask() as asking:
        if not allow_unknown:
            previewed = settle(asking, rule, around, onefold.means.normaliser)
            for problem in unknown(asking, previewed, draft.require_consent, around.rates):
                hint = f"{problem.hint} To save it all the same, allow unknown names."
                raise OnefoldError(problem.code, problem.message, hint, problem.field)
        settled = settle(asking, rule, around, onefold.means.normaliser, saved_as=id or NEW)
    return replace(draft, rule=msgspec.json.encode(plain(settled)).decode())


def _write(
    store: Transaction,
    draft: SegmentDraft,
    number: int | None,
    listed: Sequence[SavedSegment],
    onefold: "Onefold",
) -> SavedSegment | None:
    """The segment as it is saved; None when others have been saved since the rule was settled, which may stand in a
    circle with it."""
    there = store.segments()
    if [(one.number, one.revision) for one in there] != [(one.number, one.revision) for one in listed]:
        return None
    if any(one.name == draft.name and one.number != number for one in there):
        said = f"there is a segment {draft.name!r} already"
        raise OnefoldError("segment.exists", said, "Give it another name, or change the one there is.", "name")
    now_ms = onefold.clock_ms()
    if number is None:
        return store.add_segment(draft, now_ms)
    saved = store.change_segment(number, draft, now_ms)
    if saved is None:
        raise segments.not_found(encode_number("seg", number), "id")
    return saved


def delete(onefold: "Onefold", id: str) -> SavedSegment:  # noqa: A002
    """Delete a segment, and write that its members left. Raises OnefoldError as `Onefold.delete_segment` does."""
    number = segments.number_of(id, "id")
    deleted = onefold.in_transaction(partial(_drop, number=number, onefold=onefold))
    clear(onefold)
    return deleted


def _drop(store: Transaction, number: int, onefold: "Onefold") -> SavedSegment:
    there = {one.number: one for one in store.segments()}
    if number not in there:
        raise segments.not_found(encode_number("seg", number), "id")
    id_ = there[number].public_id
    users = [one.name for one in there.values() if id_ in named(segment_rules.rule_of(one.rule))]
    if users:
        said = f"{there[number].name!r} stands in the rules of {', '.join(map(repr, users))}"
        raise OnefoldError("segment.in_use", said, "Change or delete those first.", "id")
    deleted = store.drop_segment(number, onefold.clock_ms())
    assert deleted is not None
    return deleted
