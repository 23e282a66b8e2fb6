"""ONNX models written straight from the arrays of a serving form."""
