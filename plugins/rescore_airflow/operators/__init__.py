"""One verb of the core per operator; what passes between them is run keys and counts."""
