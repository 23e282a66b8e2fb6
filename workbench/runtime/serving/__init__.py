"""What HTTP, streams and batch jobs share: scoring, readiness checks, metrics and the request log."""

from .scorer import Scored, Scorer

__all__ = ["Scored", "Scorer"]
