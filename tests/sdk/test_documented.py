"""docs/sdks.md names the SDKs that are tested."""

import json

from tests.sdk.packages import NODE
from tests.sdk.senders import SDKS
from tests.tables import plain, rows

FOLLOWING = {"graphql-ws", "graphql", "ws"}
"""The client for subscriptions, and what it needs."""


def test_the_documented_sdks_are_the_tested_ones() -> None:
    documented = {plain(name) for name, _, _ in rows("sdks.md", "| SDK | where the address goes | what to know |")}
    assert documented == {name.removesuffix(" in batches") for name in SDKS}


def test_the_packages_of_npm_are_pinned_and_their_lock_names_no_registry() -> None:
    declared = json.loads((NODE / "package.json").read_text())["dependencies"]
    assert set(declared) == {name for name in SDKS if name in declared} | FOLLOWING
    locked = json.loads((NODE / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in declared} == declared
    assert not any("resolved" in package for package in locked.values())
