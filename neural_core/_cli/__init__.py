"""Private: the `neural` command, one module per verb."""
