"""Runtime: what answers in production, and the only code that applies what training learned.

This folder travels inside every bundle, byte for byte. It needs the standard library, numpy and
onnxruntime (the HTTP server adds uvicorn and orjson) and must never import the training stack.
"""
