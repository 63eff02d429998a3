"""What can be asked about customers in columns: a copy of a store in DuckDB that is caught up before each question."""
