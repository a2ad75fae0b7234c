"""What is owed to the world, and how it gets there: scores to CRMs, crossings to webhooks."""
