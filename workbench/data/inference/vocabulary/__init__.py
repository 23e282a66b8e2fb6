"""Tables of words next to or instead of values: units, multipliers, currencies, months, "no value".

Inference looks them up here and writes those that a column uses to its schema, so the runtime does
not need these tables.
"""
