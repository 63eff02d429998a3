"""Tables, CSV and Parquet: a mapping file says which column becomes which part of an event."""

from onefold.ingest.tables.csv_rows import CsvRows
from onefold.ingest.tables.parquet_rows import ParquetRows
from onefold.ingest.tables.table import Form, Table, form_of

__all__ = ["CsvRows", "Form", "ParquetRows", "Table", "form_of"]
