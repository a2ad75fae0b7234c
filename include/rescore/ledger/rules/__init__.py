"""Which rules there are, which are in force, and what waits for a person about them."""
