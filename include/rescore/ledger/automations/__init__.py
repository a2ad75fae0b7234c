"""What crossings set off, and what is remembered of them."""
