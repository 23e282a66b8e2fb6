"""How the time of a search is shared out: the clock, what is kept for the end, and how large a step a fit may take."""
