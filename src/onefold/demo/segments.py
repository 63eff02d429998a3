"""Two segments that the demo saves: one whose people are mostly found by what they did before anybody knew them."""

from itertools import islice
from typing import Final

import msgspec

from onefold.errors import OnefoldError, Problem
from onefold.model.reading import TouchpointFilter
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import Onefold, Reading, journeys, segments
from onefold.service.journeys import Ask

CAMPAIGN: Final = "spring-brew"
ORDER: Final = "Order Completed"
CAME: Final = SegmentDraft(
    name="came by spring-brew, then bought",
    description="For a letter about next spring's beans",
    rule=msgspec.json.encode(
        {
            "all": [
                {"holds": {"namespace": "user_id"}},
                {"sequence": {"steps": [{"campaigns": [CAMPAIGN]}, {"names": [ORDER]}], "withinDays": 60}},
            ]
        }
    ).decode(),
)
BOTH: Final = SegmentDraft(
    name="bought in a shop and online",
    rule=msgspec.json.encode(
        {
            "all": [
                {"did": {"touchpoint": {"names": [ORDER], "channels": ["store"]}}},
                {"did": {"touchpoint": {"names": [ORDER], "channels": ["web", "app"]}}},
            ]
        }
    ).decode(),
)
DRAFTS: Final = (CAME, BOTH)


def save(onefold: Onefold) -> list[SavedSegment]:
    """Save the two, unless they are there; -> both, with who is in them by now. Raises OnefoldError as saving does."""
    there = {row.name for row in onefold.in_one_state(segments.listed)}
    for draft in DRAFTS:
        if draft.name not in there:
            _check(onefold.save_segment(draft, allow_unknown=True))
    onefold.keep_now()
    kept = {row.name: row for row in onefold.in_one_state(segments.listed)}
    return [kept[draft.name] for draft in DRAFTS]


def _check(saved: SavedSegment | Problem) -> None:
    if isinstance(saved, Problem):
        raise OnefoldError(*msgspec.structs.astuple(saved))


def only_by_their_past(reading: Reading, customers: list[int]) -> dict[int, int]:
    """Those of these customers, all in the first segment, who would not be if what was anonymous when it happened had
    not become theirs: each time they came by the campaign, nobody knew them; -> since when it is theirs."""
    wanted = Ask(first=reading.means.most, filter=TouchpointFilter(campaigns=(CAMPAIGN,)))
    found = journeys.pages(reading, customers, wanted)
    every = iter(journeys.linkages(reading, [row for page in found for row in page.items]))
    told = {customer: list(islice(every, len(page.items))) for customer, page in zip(customers, found, strict=True)}
    return {
        customer: min(linkage.linked_at_ms for linkage in linkages)
        for customer, linkages in told.items()
        if linkages and all(linkage.retroactive for linkage in linkages)
    }
