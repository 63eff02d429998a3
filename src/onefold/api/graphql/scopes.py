"""Which scope every field needs: that which it declares, else that of its type (`needs`), as the printed schema shows.

What an operation needs is found before it runs, whatever its variables say, so nothing is done of what may not be done
as a whole.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from strawberry.schema_directive import Location

from onefold import keys

Wanted: TypeAlias = Mapping[keys.Scope, str]
"""The scopes that an operation needs, each with the first field that needs it."""


@strawberry.enum(description="What a key may be used for. One scope does not bring another along.")
class Scope(Enum):
    """As settings name them, and none."""

    ANY = strawberry.enum_value("any", description="Any key will do.")
    TRACK = strawberry.enum_value("track", description="Send events.")
    READ = strawberry.enum_value("read", description="Ask for what is known of customers.")
    STEWARD = strawberry.enum_value("steward", description="Judge who is who; save and delete segments.")
    ADMIN = strawberry.enum_value("admin", description="See how onefold is set up.")


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.INTERFACE, Location.FIELD_DEFINITION],
    description="The scope that a key needs for this field, or for all fields of this type that do not name their own. "
    "A request that asks for more than its key may is refused as a whole, with the code `key.forbidden`.",
)
class Needs:
    """What a type or field declares."""

    scope: Scope = strawberry.directive_field(name="scope")
    or_null: bool | None = strawberry.directive_field(name="orNull", default=strawberry.UNSET)


ANY: Final = Needs(scope=Scope.ANY)
TRACK: Final = Needs(scope=Scope.TRACK)
READ: Final = Needs(scope=Scope.READ)
STEWARD: Final = Needs(scope=Scope.STEWARD)
ADMIN: Final = Needs(scope=Scope.ADMIN)
READ_OR_NULL: Final = Needs(scope=Scope.READ, or_null=True)
"""Without the scope the field is null, and what is asked for below it does not matter."""


def declared(parent: GraphQLNamedType, field: GraphQLField | None) -> Needs | None:
    """What a field of a type needs, None when neither says so: then it may not be asked for."""
    for place in (field, parent):
        definition = place.extensions.get("strawberry-definition") if place is not None else None
        for directive in getattr(definition, "directives", None) or ():
            if isinstance(directive, Needs):
                return directive
    return None


def wanted(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Wanted:
    """The scopes that an operation of a valid document needs."""
    root = schema.get_root_type(operation.operation)
    finding = _Finding(schema, document)
    finding.selection_set(operation.selection_set, root)
    return finding.wanted


class _Finding:
    """Goes through an operation; through a fragment once, however often it is spread."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema: Final = schema
        self._fragments: Final = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._seen: Final[set[str]] = set()
        self.wanted: Final[dict[keys.Scope, str]] = {}

    def selection_set(self, node: SelectionSetNode, parent: Any) -> None:
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                self._field(selection, parent)
            elif isinstance(selection, FragmentSpreadNode):
                self._spread(selection.name.value)
            else:
                condition = getattr(selection, "type_condition", None)
                inside = self._schema.get_type(condition.name.value) if condition else parent
                self.selection_set(selection.selection_set, inside)  # type: ignore[attr-defined]

    def _spread(self, name: str) -> None:
        if name in self._seen:
            return
        self._seen.add(name)
        fragment = self._fragments[name]
        self.selection_set(fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value))

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> None:
        name = node.name.value
        field = self._schema.get_field(parent, name)  # type: ignore[arg-type]  # it was checked
        if field is None or name.startswith("__"):  # introspection: the schema is no secret
            return
        needs = declared(parent, field)
        if needs is not None and needs.or_null:
            return
        if needs is None:
            raise RuntimeError(f"{parent.name}.{name} does not say what it needs")
        if needs.scope is not Scope.ANY:
            self.wanted.setdefault(keys.Scope[needs.scope.name], f"{parent.name}.{name}")
        if node.selection_set is not None:
            self.selection_set(node.selection_set, get_named_type(field.type))
