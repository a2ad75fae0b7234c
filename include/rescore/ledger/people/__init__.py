"""What becomes of a person: deleted, merged, objecting, erased."""
