"""Mirrors neural experiments into MLflow, and brings MLflow's runs in.

``ExperimentTracker(..., backend="mlflow")`` uses `MlflowBackend`; ``neural import mlflow SOURCE`` is in
`neural_mlflow.importing`. Importing this package does not import MLflow.
"""

from neural_mlflow.backend import MlflowBackend

__all__ = ["MlflowBackend"]
