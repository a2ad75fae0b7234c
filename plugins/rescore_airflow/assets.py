"""The names under which other DAGs can follow what Rescore keeps up to date."""

from airflow.sdk import Asset, AssetAlias

SCORES = Asset(name="rescore_scores", uri="rescore://ledger/scores", group="rescore")
"""The state of record. Each event's extra holds the counts of the promotion that updated it."""

RULES = Asset(name="rescore_rules", uri="rescore://ledger/rules", group="rescore")
"""The rules in force. Each event's extra says how many files were put in force, rejected or unchanged."""

RULES_CHANGES = AssetAlias(name="rescore_rules_changes", group="rescore")
"""The outlet of the tasks that look at the rules: it becomes an event of `RULES` only when files differed."""
