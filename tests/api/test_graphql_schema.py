"""The public schema: what clients were promised is there, all is described, and the printed text is up to date."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from graphql import DocumentNode, GraphQLEnumType, GraphQLNamedType, build_schema, parse, print_ast

from onefold.api.graphql.schema import printed
from onefold.schema_files import schema_file
from tests.tables import ROOT

NOT_YET_BUILT: Final = {
    "Query": {"whatIf", "exportCustomer"},
    "Mutation": {"forget"},
}
LATER_ARGUMENTS: Final = {("Query", "customer", "asOf"), ("Query", "resolve", "asOf")}
STANDARD: Final = {"String", "Int", "Boolean", "Float", "ID"}


def plain(node: Any) -> str:
    """A field or argument: its name, its arguments sorted, its type and default; without descriptions."""
    arguments = sorted(plain(argument) for argument in getattr(node, "arguments", None) or ())
    text = f"{node.name.value}({', '.join(arguments)}): {print_ast(node.type)}"
    default = getattr(node, "default_value", None)
    return f"{text} = {print_ast(default)}" if default else text


def promises(document: DocumentNode) -> Iterator[tuple[str, str, str]]:
    """(type, member, what is promised of it) for all fields, input fields, enum values, union members, interfaces and
    directives."""
    for definition in document.definitions:
        node: Any = definition
        for kind in ("values", "types", "interfaces", "directives"):
            for member in getattr(node, kind, None) or ():
                yield node.name.value, member.name.value, kind
        for field in getattr(node, "fields", None) or ():
            yield node.name.value, field.name.value, plain(field)


PROMISED: Final = list(promises(parse((ROOT / "tests/golden/schema-sketch.graphql").read_text())))
BUILT: Final = {(kind, member): text for kind, member, text in promises(parse(printed()))}
SCHEMA: Final = build_schema(printed())


def fields(kind: str) -> dict[str, Any]:
    found: Any = SCHEMA.type_map[kind]
    return dict(found.fields)


@pytest.mark.parametrize(("kind", "member", "promise"), PROMISED, ids=lambda text: text.partition("(")[0])
def test_what_is_promised_is_built(kind: str, member: str, promise: str) -> None:
    assert BUILT.get((kind, member)) == promise


def test_what_is_not_yet_built_is_absent() -> None:
    for kind, absent in NOT_YET_BUILT.items():
        assert not absent & set(fields(kind)), kind
    for kind, field, argument in LATER_ARGUMENTS:
        assert argument not in fields(kind)[field].args


def test_every_connection_follows_the_relay_specification() -> None:
    connections = {name for name in SCHEMA.type_map if name.endswith("Connection")}
    listed = ("Touchpoint", "Session", "Identifier", "Device", "Link", "Decision", "Change", "Search", "Customer")
    assert connections == {f"{name}Connection" for name in listed}
    for name in connections:
        assert str(fields(name)["pageInfo"].type) == "PageInfo!"
        edge = fields(str(fields(name)["edges"].type).strip("[]!"))
        assert str(edge["cursor"].type) == "String!"
        assert str(edge["node"].type).endswith("!")
    assert {name: str(field.type) for name, field in fields("PageInfo").items()} == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


def undescribed(kind: GraphQLNamedType) -> Iterator[str]:
    if not kind.description:
        yield kind.name
    if isinstance(kind, GraphQLEnumType):
        yield from (f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description)
    for name, field in getattr(kind, "fields", {}).items():
        if not field.description:
            yield f"{kind.name}.{name}"
        arguments = getattr(field, "args", {}).items()
        yield from (f"{kind.name}.{name}({argument})" for argument, value in arguments if not value.description)


def test_every_type_field_argument_and_value_is_described() -> None:
    ours = [kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__") and name not in STANDARD]
    assert [name for kind in ours for name in undescribed(kind)] == []


def test_the_printed_schema_is_up_to_date() -> None:
    assert schema_file("schema.graphql").read_text(encoding="utf-8") == printed(), "run `make schema`"
