"""An Airflow Connection becomes what the core needs, and nothing more."""
