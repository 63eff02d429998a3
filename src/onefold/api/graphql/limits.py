"""What an operation may ask for, measured before it runs, in one pass that takes time linear in the document.

The cost of an operation is about the most values that its answer may have: each field counts 1, and what lies below a
list counts once for each item. A page counts as long as it may be (`first`, `last`), a list that is given counts its
items, other lists are guessed. Fragments are measured once, wherever and however often they are spread.

A field that stands twice in one selection set counts as an alias does. So the limit of aliases bounds the fields at the
root too.

Pages are seldom full, so much is allowed here; what the answer really holds is counted as it is read (`Peers`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from onefold.errors import OnefoldError
from onefold.service.journeys import DEFAULT_SIZE
from onefold.service.pages import page_too_large
from onefold.settings import Settings

MOST_COST: Final = 5_000_000
MOST_DIRECTIVES: Final = 50
MOST_FRAGMENTS: Final = 100
MOST_NESTING: Final = 60
MOST_DIGITS: Final = 12
CEILING: Final = 1 << 40

PAGE_ARGUMENTS: Final = ("first", "last", "maxNodes")
LIST_ARGUMENTS: Final = {"resolve": "identifiers", "ingest": "events"}
GUESSED_ITEMS: Final = 5
GUESSES: Final = {"__Schema.types": 60, "__Type.fields": 12}
"""How long lists are that say nothing of their length."""
LONG_READ: Final = 1_000
"""What a field costs at least that reads much, however little it answers."""
LONG_READS: Final = ("why", "search", "identityGraph", "previewSegment", "segmentMembership")
"""Root fields that always read much. Two more fields do, depending on their arguments: a journey of which only some
touchpoints are wanted is read until enough of them are found, and so is the feed of some customers."""
SUMMED_UP: Final = ("summary", "sessions", "computed")
"""Fields of customers that are asked of the read model, which may have to be caught up first."""
RULES: Final = {"previewSegment": "rule", "segmentMembership": "rule", "saveSegment": "input"}
"""Arguments that are rules. Each part of a rule, be it a condition or what a condition says, counts as a long read."""
MOST_RULE_NESTING: Final = 50
TIME_RANGE: Final = frozenset({"after", "before"})
"""What a filter may ask without making a journey's reading longer."""


class Limits(msgspec.Struct, frozen=True):
    """How much one operation may ask for."""

    depth: int
    tokens: int
    aliases: int
    page: int
    cost: int = MOST_COST

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Those that the settings name."""
        return cls(
            settings.max_query_depth, settings.max_query_tokens, settings.max_query_aliases, settings.max_page_size
        )


class Weight(NamedTuple):
    """What a part of a document comes to."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0

    def beside(self, other: "Weight") -> "Weight":
        """Both in one selection set. Numbers stop growing before they grow large."""
        return Weight(
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, CEILING),
            min(self.directives + other.directives, CEILING),
            min(self.cost + other.cost, CEILING),
        )


class Measure:
    """Measures one operation of a parsed document, which need not be valid.

    `varies`: whether its cost depends on variables.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        limits: Limits,
    ) -> None:
        """`variables`: as sent, not yet checked."""
        self._schema: Final = schema
        self._limits: Final = limits
        self._operation: Final = operation
        defaults = {d.variable.name.value: d.default_value for d in operation.variable_definitions or ()}
        self._variables: Final[dict[str, Any]] = {**defaults, **variables}
        self._fragments: Final = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._measured: Final[dict[str, Weight]] = {}
        self.varies = False

    def cost(self) -> int:
        """What the operation costs. Raises `query.too_deep`, `query.too_complex`, `query.page_too_large`."""
        _at_most(len(self._fragments), MOST_FRAGMENTS, "fragments")
        root = self._schema.get_root_type(self._operation.operation)
        weight = self._selection_set(self._operation.selection_set, root, 0)
        if weight.depth > self._limits.depth:
            raise OnefoldError(
                "query.too_deep",
                f"the query nests {weight.depth} levels deep; it may {self._limits.depth}",
                "Ask for less at once.",
            )
        _at_most(weight.aliases, self._limits.aliases, "aliases and repeated fields")
        _at_most(weight.directives + len(self._operation.directives or ()), MOST_DIRECTIVES, "directives")
        _at_most(weight.cost, self._limits.cost, "values in its answer, pages taken as full")
        return weight.cost

    def _selection_set(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None, nesting: int
    ) -> Weight:
        if nesting > MOST_NESTING:
            raise OnefoldError("query.too_deep", f"the query nests more than {MOST_NESTING} levels deep")
        total, names = Weight(), set()
        for selection in selections.selections if selections else ():
            total = total.beside(self._selection(selection, parent, nesting))
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                if selection.alias or name in names:
                    total = total.beside(Weight(aliases=1))
                names.add(name)
        return total

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType | None, nesting: int) -> Weight:
        weight = Weight(directives=len(selection.directives or ()))
        if isinstance(selection, FieldNode):
            return weight.beside(self._field(selection, parent, nesting))
        if isinstance(selection, FragmentSpreadNode):
            return weight.beside(self._fragment(selection.name.value, nesting))
        condition = getattr(selection, "type_condition", None)
        inside = self._schema.get_type(condition.name.value) if condition else parent
        return weight.beside(self._selection_set(getattr(selection, "selection_set", None), inside, nesting + 1))

    def _fragment(self, name: str, nesting: int) -> Weight:
        if name not in self._measured:
            self._measured[name] = Weight()  # what spreads itself is refused by validation
            if fragment := self._fragments.get(name):
                inside = self._schema.get_type(fragment.type_condition.name.value)
                self._measured[name] = self._selection_set(fragment.selection_set, inside, nesting + 1)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, nesting: int) -> Weight:
        name = node.name.value
        field = self._schema.get_field(parent, name) if is_composite_type(parent) else None
        inside = get_named_type(field.type) if field else None
        below = self._selection_set(node.selection_set, inside, nesting + 1)
        items = self._items(node, field, parent)
        cost = min(1 + items * below.cost, CEILING)
        if self._reads_much(node, parent):
            cost = max(cost, LONG_READ)
        if name in RULES and parent in (self._schema.query_type, self._schema.mutation_type):
            cost = min(cost + LONG_READ * self._parts(node, RULES[name]), CEILING)
        introspection = (parent is not None and parent.name.startswith("__")) or name.startswith("__")
        deeper = node.selection_set is not None and not introspection
        return Weight(below.depth + deeper, below.aliases, below.directives, cost)

    def _reads_much(self, node: FieldNode, parent: GraphQLNamedType | None) -> bool:
        name = node.name.value
        if parent is self._schema.query_type:
            return name in LONG_READS or (name == "changes" and self._given(node, "of") is not None)
        if name in SUMMED_UP and parent is not None and parent.name == "Customer":
            return True
        return name == "journey" and self._sifts(self._given(node, "filter"))

    @staticmethod
    def _sifts(wanted: Any) -> bool:
        """Whether a filter asks for more than a range of time."""
        if isinstance(wanted, ObjectValueNode):
            return any(field.name.value not in TIME_RANGE for field in wanted.fields)
        return isinstance(wanted, Mapping) and not TIME_RANGE.issuperset(wanted)

    def _items(self, node: FieldNode, field: GraphQLField | None, parent: GraphQLNamedType | None) -> int:
        """How many things a field hands out."""
        if field is None or parent is None:
            return 1
        if given := LIST_ARGUMENTS.get(node.name.value):
            return self._given_items(node, given)
        arguments = {argument.name.value: argument for argument in node.arguments or ()}
        told = [self._size(name, arguments.get(name), field) for name in PAGE_ARGUMENTS if name in field.args]
        if told:
            return max((size for size in told if size is not None), default=DEFAULT_SIZE)
        if not is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type):
            return 1
        # A connection was multiplied by its page size already.
        return 1 if node.name.value == "edges" else GUESSES.get(f"{parent.name}.{node.name.value}", GUESSED_ITEMS)

    def _size(self, name: str, argument: ArgumentNode | None, field: GraphQLField) -> int | None:
        """The page size that an argument asks for, None if it does not say. Raises `query.page_too_large`."""
        value: Any = field.args[name].default_value if argument is None else self._value(argument.value)
        if isinstance(value, IntValueNode):
            value = int(value.value) if len(value.value) <= MOST_DIGITS else CEILING
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        size = int(value)
        if size > self._limits.page:
            raise page_too_large(size, self._limits.page, name)
        return max(size, 0)

    def _given_items(self, node: FieldNode, name: str) -> int:
        value = self._given(node, name)
        if isinstance(value, ListValueNode):
            return len(value.values)
        return len(value) if isinstance(value, list) else 1

    def _parts(self, node: FieldNode, name: str) -> int:
        """How many objects a rule that is given has. Raises `query.too_deep`: nothing is read of what nests deeper."""
        count, waiting = 0, [(self._given(node, name), 0)]
        inner: Iterable[Any]
        while waiting:
            value, nesting = waiting.pop()
            if nesting > MOST_RULE_NESTING:
                raise OnefoldError("query.too_deep", f"{name} nests more than {MOST_RULE_NESTING} levels deep")
            if isinstance(value, VariableNode):
                value = self._value(value)
            if isinstance(value, ObjectValueNode | dict):
                count += 1
                inner = [f.value for f in value.fields] if isinstance(value, ObjectValueNode) else value.values()
            elif isinstance(value, ListValueNode | list):
                inner = value.values if isinstance(value, ListValueNode) else value
            else:
                continue
            waiting.extend((item, nesting + 1) for item in inner)
        return count

    def _given(self, node: FieldNode, name: str) -> Any:
        """The value of an argument, None if it is not given."""
        return next((self._value(a.value) for a in node.arguments or () if a.name.value == name), None)

    def _value(self, node: ValueNode) -> Any:
        """A literal as it is, or what is behind a variable."""
        if not isinstance(node, VariableNode):
            return node
        self.varies = True
        return self._variables.get(node.name.value)


def _at_most(number: int, most: int, what: str) -> None:
    if number > most:
        raise OnefoldError(
            "query.too_complex", f"the query has {number} {what}; it may have {most}", "Ask for less at once."
        )
