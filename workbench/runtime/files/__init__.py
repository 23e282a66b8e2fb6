"""Files of rows: read in chunks of bounded size whatever their format, and never left half written."""
