"""One process writing one experiment: the hot path, and everything beside it."""
