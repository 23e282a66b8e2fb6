"""Every text that a user of the app reads: one catalogue for each page, `general` for what several pages say."""
