"""Load test: measure a bundle on its real server at rising rates, and derive replicas and price.

Requests are sent when they are due, whether or not earlier ones have completed (an open loop), and
the latency of a request counts from when it was due. So a server that stalls is measured as
stalling.
"""
