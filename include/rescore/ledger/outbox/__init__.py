"""What is owed to the world, who has it in hand, and what the world has confirmed."""
