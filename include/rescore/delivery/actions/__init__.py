"""One sender for each kind of action that is no webhook: CRM tasks and fields, Slack, e-mail."""
