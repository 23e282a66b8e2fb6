"""Every text that a user of the app reads: one catalogue for each page, `common` for what several pages say."""
