"""The phases of a search, in the order in which `engine` runs them.

prepare → probe → trials → first_model → grow → refine → finish
"""
