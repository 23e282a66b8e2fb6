"""Shared code of families: base class, search spaces, boosting, early stopping, forests."""
