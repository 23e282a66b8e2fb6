"""Words that people write beside or instead of values: units, multipliers, currencies, months, "no
value".

Training looks them up here; what a column uses goes into its schema, so that the runtime needs none
of these tables.
"""
