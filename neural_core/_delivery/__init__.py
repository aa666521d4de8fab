"""Private: from the journal to plugins. Knows no file format, no plot and no plugin by name."""
