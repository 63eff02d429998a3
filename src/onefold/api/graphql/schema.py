"""The public schema, made of the types, and its text. `python -m onefold.api.graphql.schema` writes that anew."""

from functools import cache
from pathlib import Path
from typing import Final

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from onefold.api.graphql.mutation import Mutation
from onefold.api.graphql.query import Query
from onefold.api.graphql.subscription import Subscription
from onefold.api.graphql.types.customer import Customer
from onefold.api.graphql.types.identifier import Identifier
from onefold.api.graphql.types.ledger import Decision, Judgement
from onefold.api.graphql.types.scalars import SCALARS
from onefold.api.graphql.types.segment import Segment
from onefold.api.graphql.types.touchpoint import Touchpoint
from onefold.schema_files import schema_folder

FILE: Final = "schema.graphql"
HEAD: Final = "# onefold's public schema, printed from the code by `make schema`. Do not edit it here.\n\n"


@cache
def _schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Customer, Identifier, Touchpoint, Decision, Judgement, Segment],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def executable() -> GraphQLSchema:
    """The schema as graphql-core runs it. Strawberry's own way parses and checks each document anew."""
    return _schema()._schema  # noqa: SLF001  # there is no public name for it


def printed() -> str:
    """The schema as text."""
    return HEAD + _schema().as_str() + "\n"


def write(folder: Path) -> None:
    """Write the schema's text into `folder`."""
    (folder / FILE).write_text(printed(), encoding="utf-8")


if __name__ == "__main__":
    write(schema_folder())
