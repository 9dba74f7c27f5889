"""Fixtures of the model tests."""

from model_runner import compiled, models

__all__ = ["compiled", "models"]
