"""How much may happen without asking a person, and how long what is done with is kept."""
