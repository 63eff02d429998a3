"""What became of what an SDK sent, as GraphQL tells it."""

from collections.abc import Sequence
from typing import Any

from tests.sdk.serving import Served

CUSTOMER = """
query ($namespace: String!, $value: String!) {
  customer(by: {identifier: {namespace: $namespace, value: $value}}) {
    id
    identifiers { edges { node { namespace value } } }
    profile { traits { name value } }
    journey(order: OLDEST_FIRST) {
      edges { node { messageId type name channel source revenue currency retroactive properties } }
    }
  }
}
"""
ALL = """
query ($who: String!, $after: String) {
  resolve(identifiers: [{namespace: "user_id", value: $who}]) {
    customer {
      journey(first: 500, after: $after) {
        edges { node { messageId name properties } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def customer(onefold: Served, identifier: str) -> Any:
    """The customer of `namespace:value`."""
    namespace, value = identifier.split(":", 1)
    return onefold.ask(CUSTOMER, namespace=namespace, value=value)["customer"]


def journey(found: Any) -> list[Any]:
    """A customer's first touchpoints, the oldest first."""
    return [edge["node"] for edge in found["journey"]["edges"]]


def identifiers(found: Any) -> set[str]:
    """A customer's identifiers, as `namespace:value`."""
    return {f"{edge['node']['namespace']}:{edge['node']['value']}" for edge in found["identifiers"]["edges"]}


def traits(found: Any) -> dict[str, Any]:
    """A customer's profile."""
    return {trait["name"]: trait["value"] for trait in found["profile"]["traits"]}


def all_of(onefold: Served, who: str) -> Sequence[Any]:
    """Every touchpoint of a user id's customer, none if there is nobody."""
    found: list[Any] = []
    after = None
    while True:
        [known] = onefold.ask(ALL, who=who, after=after)["resolve"]
        if known["customer"] is None:
            return found
        page = known["customer"]["journey"]
        found += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
