"""Pages inside Airflow: the reports on plans, for people who are logged in."""
