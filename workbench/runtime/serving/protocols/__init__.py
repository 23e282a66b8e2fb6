"""Requests and responses as documents, without HTTP: JSON rows, Open Inference Protocol v2, ``/invocations``."""
