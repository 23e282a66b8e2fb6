"""Ways to run a bundle without callers: a batch job, a stream consumer, and the file that configures them."""

from .batch import BatchReport, score_file

__all__ = ["BatchReport", "score_file"]
