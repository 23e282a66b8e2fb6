"""Read a file or data frame as a table of raw columns: encoding, delimiter, header, Arrow types."""
