"""When an automation fires, and what it says: pure."""
