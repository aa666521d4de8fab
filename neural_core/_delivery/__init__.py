"""Private: from the journal to plugins. Knows no file format, no plot and no plugin by name."""

AUTO_PLOTS = "auto-plots"
"""The entry point of whoever draws the automatic plots: an experiment may do without it."""
