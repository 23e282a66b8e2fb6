"""Values, columns, rows and the encoder: a row as it arrives becomes one row of a float32 matrix."""
