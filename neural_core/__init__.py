"""neural: the experiment tracker that a training loop never notices and never loses a number to."""
