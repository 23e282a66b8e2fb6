"""One file per page. Pages render; the computations are functions for scripts too."""
