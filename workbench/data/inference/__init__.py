"""Infer what a raw column is: its kind, its number and date formats, and its words for missing
values.
"""
