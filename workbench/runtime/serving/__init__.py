"""What HTTP, streams and batch jobs share: scoring, readiness checks, metrics and the request log.

The package imports nothing: the command line reads the options of `serve` from here and has to
start without numpy.
"""
