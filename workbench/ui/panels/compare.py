"""Compare two to four candidates, in a table and in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.display.numbers import plain
from workbench.display.sentences import in_words, named
from workbench.display.tables import best_row, side_by_side
from workbench.tradeoff import Choice, LeaderboardRow, PriceSheet, servable
from workbench.ui.texts import choose as texts

_MOST = 4


def show_compare(choice: Choice, rows: Sequence[LeaderboardRow], sheet: PriceSheet, key: str) -> None:
    """Compare the choice with others; by default its neighbours and the most accurate."""
    usable = {row.id: row for row in servable(rows)}
    others = [choice.faster, choice.more_accurate, best_row([row for row in rows if row.on_front])]
    wanted = list(dict.fromkeys(row.id for row in others if row is not None and row.id != choice.id))
    order = sorted(usable, key=lambda name: (not usable[name].on_front, -usable[name].score, name))
    picked = st.multiselect(
        texts.COMPARE,
        [name for name in order if name != choice.id],
        default=wanted[: _MOST - 1],
        format_func=lambda name: f"{'● ' if usable[name].on_front else ''}{named(usable[name])}",
        max_selections=_MOST - 1,
        help=texts.COMPARE_HELP,
        key=f"compare:{key}:{choice.id}",
    )
    shown = [choice.row, *(usable[name] for name in picked)]
    labels = [f"{'★ ' if row.id == choice.id else ''}{named(row)}" for row in shown]
    facts = side_by_side(shown, sheet)
    table = [
        {texts.COMPARE_FACT: texts.COMPARE_FACTS[fact][0], **dict(zip(labels, values, strict=True))}
        for fact, values in facts
    ]
    columns = {texts.COMPARE_FACT: st.column_config.TextColumn(texts.COMPARE_FACT, pinned=True)}
    st.dataframe(table, hide_index=True, width="stretch", height="content", column_config=columns)
    # The sentences of the choice cover its neighbours already.
    sentences = [in_words(row, choice.row, sheet) for row in shown[1:] if row.id not in wanted]
    if sentences:
        st.markdown("\n".join(f"- {plain(sentence, 600)}" for sentence in sentences))
