"""Load test: a bundle behind its real server, asked at rising rates, and what that says about replicas and money.

Requests are sent when they are due, whether or not earlier ones were answered (an open loop), and a request's time
counts from when it was due: a server that stalls is seen to stall.
"""
