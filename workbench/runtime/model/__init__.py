"""The predictor: a schema, an encoder and an ONNX model, which is checked before it runs."""

from .predictor import Predictor

__all__ = ["Predictor"]
