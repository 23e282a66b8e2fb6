"""Checks of a table before a search: leaks, copies, extreme values, and classes that are too
small.
"""
