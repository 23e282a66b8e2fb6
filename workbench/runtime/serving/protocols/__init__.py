"""Requests and responses as documents, without HTTP: plain rows, v2 and ``/invocations``."""
