"""Formulas of metrics: losses of rows, sums over rows, confusion matrices, rankings."""
