"""Writers of ONNX models, from the arrays of a serving form or a family's own graph."""
