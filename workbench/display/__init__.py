"""Words, tables and figures for the app, the report and notebooks.

`numbers` formats numbers with their units, `sentences` compares candidates in words, `tables`
prepares rows for display, and the other modules return Plotly figures. Nothing here depends on
Streamlit or files.
"""

from .front import front_figure
from .sentences import advice, in_words, limit_costs

__all__ = ["advice", "front_figure", "in_words", "limit_costs"]
