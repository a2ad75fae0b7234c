"""One file a revision; a test holds their sum against `rescore.ledger.tables`."""
