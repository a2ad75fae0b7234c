"""The ledger: one SQL database that holds every decision, written only inside its one transaction helper."""
