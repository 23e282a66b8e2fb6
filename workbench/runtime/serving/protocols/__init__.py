"""Requests and responses as documents, without HTTP: JSON rows, the Open Inference Protocol, MLflow's /invocations."""
