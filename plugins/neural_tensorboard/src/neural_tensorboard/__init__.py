"""Mirrors neural experiments into TensorBoard event files, and brings TensorBoard runs in.

`TensorBoardBackend` is what ``backend="tensorboard"`` names. TensorBoard itself is imported when the first event is
written; TensorFlow and PyTorch never are.
"""

from neural_tensorboard._backend import TensorBoardBackend

__all__ = ["TensorBoardBackend"]
