"""Candidates made of other candidates: weighted averages, a network over them, and small models distilled from them."""
