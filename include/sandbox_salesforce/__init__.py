"""A small server that behaves like a Salesforce organisation, for demo and tests; see docs/salesforce.md."""
