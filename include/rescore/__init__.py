"""Lead scoring as code: what a rule, a score, a delta and a crossing are. Knows no Airflow."""
