"""What tables in a database and tables in files have in common: columns that are leads or activities."""
