"""Inside a view."""
