"""Segments: rules about customers, read, checked, asked of the read model, and explained for one customer."""
