"""Which traits are searched, as a store remembers it.

Everyone who writes to a store goes by what the store says of this, not by a traits file: another process may have
another one. (SQLite's search table can forget a claim only if it is told the text that it holds of it.)
"""

from dataclasses import dataclass

from onefold.model.traits import TraitRules

ALL_BUT = "all but"
ONLY = "only"


@dataclass(frozen=True, slots=True)
class Searched:
    """The traits that are searched.

    Attributes:
        rest: whether traits are that are not named.
        others: traits that are treated otherwise than the rest.
    """

    rest: bool
    others: frozenset[str]

    def __contains__(self, trait: str) -> bool:
        """Whether a trait is searched."""
        return (trait in self.others) != self.rest


def searched_by(traits: TraitRules) -> Searched:
    """What a traits file makes searchable."""
    rest = traits.default.searchable
    return Searched(rest, frozenset(name for name, rule in traits.declared.items() if rule.searchable != rest))


def write_searched(searched: Searched) -> str:
    """As text, the same for all that are equal."""
    return "\n".join((ALL_BUT if searched.rest else ONLY, *sorted(searched.others)))


def read_searched(text: str) -> Searched:
    """From text, as it was written."""
    rest, *others = text.split("\n")
    return Searched(rest == ALL_BUT, frozenset(others))
