"""The lists of a base folder, cached in SQLite."""
