"""Where all rooms of the ledger meet: one transaction a chunk, with all that follows."""
