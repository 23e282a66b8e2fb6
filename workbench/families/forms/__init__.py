"""Serving forms: the few shapes that every trained model is brought into before it becomes ONNX."""
