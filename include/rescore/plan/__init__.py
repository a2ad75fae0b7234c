"""What would a rules change do? Everybody under old and new at the same moment, before anything is done."""
