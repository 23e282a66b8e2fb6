"""One file per page. A page lays out and renders; what it shows is computed by functions that a script can call."""
