"""Inside a write transaction."""
