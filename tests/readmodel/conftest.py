"""The stores that read models are made of: those that keep the contract."""

from tests.contract.conftest import place, store

__all__ = ("place", "store")
