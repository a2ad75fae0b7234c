"""How Airflow meets the core: operators, a sensor and its trigger, hooks. Thin on purpose."""
