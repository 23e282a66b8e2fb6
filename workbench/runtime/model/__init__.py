"""The predictor: a schema, an encoder and an ONNX model, read without the ONNX library and checked before it is run."""
