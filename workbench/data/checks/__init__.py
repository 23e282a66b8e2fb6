"""What a person should know of a table before a search: leaks, copies, extremes, classes too small to learn."""
