"""What a model meets in production, compared with what it learned from: drift, with alarms that can
be believed.
"""

from .column_drift import ColumnDrift, DriftReport, compare, drift

__all__ = ["ColumnDrift", "DriftReport", "compare", "drift"]
