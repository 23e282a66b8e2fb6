"""What a raw column is: its kind, how its numbers and dates are written, which texts mean that a value is missing."""
