"""From facts that landed to scores that are committed: streams, runs, stages, chunks."""
