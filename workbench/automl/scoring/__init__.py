"""Scoring: metrics, intervals, comparisons, ensemble selection, the Pareto front."""
