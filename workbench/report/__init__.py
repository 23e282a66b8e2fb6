"""The report of a run: one HTML file without external resources, for reading and printing."""

from .write import report_html, write_report

__all__ = ["report_html", "write_report"]
