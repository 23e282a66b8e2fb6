"""Candidates made of other candidates: ensembles, stackers and distilled students."""
