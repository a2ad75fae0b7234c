"""Rules: a YAML file in, a checked and frozen scorecard out."""
