"""The embedded store: one SQLite file, by apsw."""
