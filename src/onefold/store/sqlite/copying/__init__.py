"""Copying: a store's rows out of one file and into another."""
