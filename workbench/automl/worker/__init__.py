"""A worker process: each task is fitted, assembled into its serving form, checked, scored and measured."""
