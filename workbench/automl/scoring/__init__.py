"""How good candidates are and how surely: metrics, intervals, comparisons, ensemble selection, the Pareto front."""
