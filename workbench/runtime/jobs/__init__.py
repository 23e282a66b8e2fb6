"""Jobs that run a bundle: a batch job, a stream consumer, and their configuration file."""

from .batch import BatchReport, score_file

__all__ = ["BatchReport", "score_file"]
