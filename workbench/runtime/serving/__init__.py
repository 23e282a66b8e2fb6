"""Shared by HTTP, streams and batch jobs: scoring, readiness checks, metrics, request log."""

from .scorer import Scored, Scorer

__all__ = ["Scored", "Scorer"]
