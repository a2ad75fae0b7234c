"""A scorecard and facts in, whole numbers out: one set-based query, and its explanation."""
