"""The `rescore` command line: the same core, without Airflow."""
