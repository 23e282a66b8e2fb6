"""Serving forms: the shapes that a trained model takes before it becomes ONNX."""
