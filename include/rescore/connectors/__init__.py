"""The CRMs: where activity comes from and where scores go."""
