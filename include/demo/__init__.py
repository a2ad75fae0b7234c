"""The demo and the story: a real Airflow and a sandbox CRM on this machine, and what happens in them."""
