"""onefold: many identifiers, one customer."""

__version__ = "0.1.0"
