"""What the traits file says, and what it answers to a mistake (tests/golden/bad_traits)."""

import pytest

from onefold.model import traits
from onefold.model.traits import Survivorship, TraitRule
from onefold.schema_files import schema_file
from tests.mistakes import Mistake, mistakes


@pytest.mark.parametrize("mistake", mistakes("bad_traits"), ids=str)
def test_a_mistake_is_refused_with_its_line_and_its_field(mistake: Mistake) -> None:
    mistake.check(traits.load, "traits.invalid")


def test_by_default_the_newest_word_counts_and_people_are_found_by_their_names() -> None:
    rules = traits.load(schema_file("traits.yaml"))
    assert rules["anything"] == TraitRule(Survivorship.NEWEST, searchable=False)
    searchable = {name for name, rule in rules.declared.items() if rule.searchable}
    assert {"name", "first_name", "lastName", "email", "phone", "company"} <= searchable
    assert "created_at" not in searchable


def test_every_key_is_read() -> None:
    rules = traits.parse(
        "default:\n  survivorship: oldest\n  searchable: true\n"
        "traits:\n  plan:\n    survivorship: source_order\n    sources:\n      - crm\n      - web shop\n"
    )
    assert rules["plan"] == TraitRule(Survivorship.SOURCE_ORDER, ("crm", "web shop"))
    assert rules["city"] == TraitRule(Survivorship.OLDEST, searchable=True)


def test_a_declared_trait_takes_nothing_from_the_rule_of_the_others() -> None:
    rules = traits.parse("default:\n  survivorship: oldest\n  searchable: true\ntraits:\n  plan: {}\n")
    assert rules["plan"] == TraitRule(Survivorship.NEWEST, searchable=False)


def test_names_of_traits_are_taken_as_they_are_written() -> None:
    rules = traits.parse("traits:\n  Plan Type:\n    searchable: yes\n  null:\n    searchable: yes\n")
    assert rules["Plan Type"].searchable
    assert rules["null"].searchable
    assert not rules["plan type"].searchable
