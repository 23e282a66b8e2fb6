"""The prediction log: one record a predicted row, in a folder that any number of processes append
to.

It holds values of rows. The request log (`serving.request_log`) never does; the two are never
mixed.
"""
