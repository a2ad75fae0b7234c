"""The main job, step by step: extract, adopt rules, score, stage deltas, promote, deliver."""
