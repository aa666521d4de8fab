"""Mirrors neural experiments into Weights & Biases, and brings its local runs in.

``ExperimentTracker(..., backend="wandb")`` uses `WandbBackend`; ``neural import wandb SOURCE`` is in
`neural_wandb.importing`. Importing this package does not import W&B.
"""

from neural_wandb.backend import WandbBackend

__all__ = ["WandbBackend"]
