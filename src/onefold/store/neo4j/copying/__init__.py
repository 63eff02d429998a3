"""Copying: a store's rows out of one database and into another."""
