"""A run becomes one HTML file for those who will never open the app: it needs no network, and prints well."""

from .write import report_html, write_report

__all__ = ["report_html", "write_report"]
