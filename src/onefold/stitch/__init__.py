"""Stitching, the pure core: which identifiers are one customer, and why."""
