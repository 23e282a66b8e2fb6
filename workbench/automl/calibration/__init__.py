"""Numbers learned on out-of-fold predictions: calibration, intervals, the threshold, the range of a target."""
