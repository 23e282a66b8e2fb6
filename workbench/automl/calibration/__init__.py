"""Calibration, prediction intervals, thresholds and target ranges, learned out of fold."""
