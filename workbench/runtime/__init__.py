"""Runtime: the code that predicts in production, and alone applies what training fitted.

Every bundle carries a copy of this folder, byte for byte. It needs the standard library, numpy and
onnxruntime (the HTTP server adds uvicorn and orjson) and never imports the training stack.

- ``core``: values, schema and encoder: a row becomes one row of a float32 matrix
- ``model``: the predictor, ONNX files read and checked, one row without ONNX Runtime
- ``bundle``: open a bundle, check it, replay its golden rows
- ``files``: tables read and written in chunks
- ``serving``: scoring, readiness, metrics and request log, and the HTTP server
- ``jobs``: batch job, stream consumer, run configuration
"""
