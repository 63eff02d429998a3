"""What docs/segments.md asks over GraphQL has the answers that stand below, of the story in the store."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from onefold import demo
from onefold.settings import Settings
from onefold.wiring import build
from tests.docs.guides import blocks
from tests.sdk.serving import in_process

GUIDE = blocks("docs/segments.md")
ASKED = [
    (query.text, json.loads(answer.text))
    for query, answer in pairwise(GUIDE)
    if (query.language, answer.language) == ("graphql", "json")
]


@pytest.mark.parametrize(("query", "answer"), ASKED)
def test_a_query_has_the_answer_below_it(tmp_path: Path, query: str, answer: object) -> None:
    with build(Settings(store=f"sqlite:///{tmp_path}/demo.db")) as onefold:
        demo.tell(onefold)
        with in_process(onefold) as door:
            assert {"data": door.ask(query)} == answer


def test_there_are_such_queries() -> None:
    assert len(ASKED) == 2
