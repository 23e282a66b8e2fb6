"""Families: the kinds of model that the search can train, each one file behind the protocol in `base`."""
