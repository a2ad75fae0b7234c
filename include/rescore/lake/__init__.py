"""The lake: immutable facts in Delta tables, landed page by page and read through DuckDB."""
