"""Records become words and figures: what the app, the report and a notebook show of a run.

`numbers` writes numbers with their units, `sentences` compares candidates in words that can be acted on, `tables` makes
rows ready to be shown, and the other modules turn records into Plotly figures. Nothing here knows Streamlit or files.
"""

from .front import front_figure
from .sentences import advice, in_words, limit_costs

__all__ = ["advice", "front_figure", "in_words", "limit_costs"]
