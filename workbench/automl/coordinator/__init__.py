"""The coordinating process: the state of a search and the choice of the next configuration.

It trains nothing. It sends tasks to worker processes and receives their results
(`records.messages`).
"""
