"""Private: what `neural_core.testing` is made of."""
