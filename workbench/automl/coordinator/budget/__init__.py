"""The time reserved for the end of a search: ensembles, stacker, distillation, measuring."""
