"""The stored decision and the current choice: store it, go back, or see who changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.api import open_run
from workbench.display.numbers import count, percent, plain
from workbench.display.sentences import limit_words, named
from workbench.errors import ChangedError, WorkbenchError
from workbench.tradeoff import decide
from workbench.tradeoff.terms import Terms
from workbench.ui.panels.chosen import Picked
from workbench.ui.panels.limits import restore
from workbench.ui.panels.mistake_costs import forget_money
from workbench.ui.state.cached_reads import RunView
from workbench.ui.state.selection import Selection, payoff_text
from workbench.ui.state.session_state import allowed, remember, user
from workbench.ui.texts import choose as choose_texts
from workbench.ui.texts import decision as texts


def show_decision(picked: Picked) -> None:
    """Show the stored decision, and offer to store the current choice."""
    run, stored = picked.selection.run, picked.stored.decision
    changed = _changed_by_somebody(picked.stored)
    gaps = differences(picked)
    with st.container(border=True, key="decision"):
        if changed:
            st.warning(texts.CHANGED.format(who=plain(changed, 600)), icon=":material/group:")
        if stored is None:
            st.markdown(texts.NONE)
        elif gaps:
            st.markdown(texts.OTHER.format(who=plain(stored.to_text(), 600)))
            st.markdown("\n".join(f"- {plain(each, 300)}" for each in gaps))
        else:
            st.markdown(texts.KEPT.format(who=plain(stored.to_text(), 600)))
        st.caption(plain(summary(picked), 600))
        problem = st.session_state.pop(f"decision_problem:{run}", "")
        if problem:
            st.error(plain(problem, 600), icon=":material/group:")
        with st.container(horizontal=True, key="decision_actions"):
            if (stored is None or gaps) and allowed("search"):
                _offer_to_store(picked)
            if stored is not None and (gaps or changed):
                st.button(
                    texts.AS_DECIDED,
                    icon=":material/undo:",
                    on_click=_as_decided,
                    args=(picked.stored,),
                    key="as_decided",
                )


def show_decided(picked: Picked, gaps: Sequence[str]) -> None:
    """Show the stored decision, and whether the export changes it (`gaps`: the `differences`)."""
    stored = picked.stored.decision
    changed = _changed_by_somebody(picked.stored)  # marks the revision as seen
    if changed:
        st.warning(texts.CHANGED.format(who=plain(changed, 600)), icon=":material/group:")
    elif stored is not None and not gaps:
        st.caption(texts.KEPT.format(who=plain(stored.to_text(), 600)))
    else:
        st.caption(texts.EXPORT_STORES)


def store_choice(picked: Picked, by: str, why: str) -> None:
    """Store the choice in the run, unless the decision changed since this session saw it.

    Raises
    ------
    ChangedError
        If it was changed; the error names the author.
    """
    terms, before = picked.terms, picked.stored.decision
    drop = before is not None and before.given.threshold is not None and terms.threshold_from != "set"
    chosen_terms: dict[str, Any] = {
        "pick": picked.rule,
        "limits": terms.limits,
        "payoff": terms.payoff,
        "threshold": terms.threshold if terms.threshold_from == "set" else None,
        "traffic": None if terms.sheet.traffic.example else terms.sheet.traffic,
    }
    decision = open_run(picked.view.folder).decide(
        **chosen_terms,
        note=why,
        by=by or None,
        reset=("threshold",) if drop else (),
        revision=_seen(picked.stored),
    )
    st.session_state[_seen_key(picked.stored)] = decision.revision


def summary(picked: Picked) -> str:
    """Return the choice and its terms in one line."""
    terms, currency = picked.terms, picked.view.sheet.currency
    how = picked.outcome.how
    parts = [named(picked.choice.row)]
    parts.append(choose_texts.RULES.get(how, texts.BY_HAND))
    parts += [
        limit_words(name, value, currency) for name, value in _limits(terms).items() if value is not None
    ]
    if picked.view.task == "binary":
        at = texts.OWN if terms.threshold is None else percent(terms.threshold, 1)
        parts.append(texts.AT.format(threshold=at))
    if terms.payoff is not None:
        parts.append(texts.PAYS.format(payoff=payoff_text(terms.payoff)))
    return texts.WHAT.format(what=" · ".join(parts))


def differences(picked: Picked) -> list[str]:
    """Return the differences between the current choice and the stored decision, in words."""
    now, stored = picked.terms, picked.stored.terms
    currency, out = now.sheet.currency, []
    decided = picked.stored.decision
    chosen = decided.chosen if decided else None
    if now.pick != stored.pick and picked.choice.id != chosen:
        out.append(texts.PICK.format(now=picked.choice.id, stored=stored.pick if chosen is None else chosen))
    for name, before in _limits(stored).items():
        after = getattr(now.limits, name)
        if after != before:
            words = [
                texts.NO_LIMIT if each is None else limit_words(name, each, currency)
                for each in (after, before)
            ]
            out.append(texts.LIMIT.format(now=words[0], stored=words[1]))
    if now.payoff != stored.payoff:
        words = [payoff_text(each) if each else texts.NOT_GIVEN for each in (now.payoff, stored.payoff)]
        out.append(texts.PAYOFF.format(now=words[0], stored=words[1]))
    if now.threshold != stored.threshold:
        words = [
            texts.OWN if each is None else percent(each, 1) for each in (now.threshold, stored.threshold)
        ]
        out.append(texts.THRESHOLD.format(now=words[0], stored=words[1]))
    if now.sheet.traffic != stored.sheet.traffic:
        words = [count(each.sheet.traffic.calls_per_month) for each in (now, stored)]
        out.append(texts.TRAFFIC.format(now=words[0], stored=words[1]))
    return out


def _limits(terms: Terms) -> Mapping[str, float | None]:
    limits = terms.limits
    return {name: getattr(limits, name) for name in ("max_latency_us", "max_price_usd", "max_size_mb")}


def _seen_key(view: RunView) -> str:
    return f"seen_revision:{view.folder.name}"


def _seen(view: RunView) -> int:
    """Return the revision that this session has seen; 0 for none."""
    now = view.decision.revision if view.decision else 0
    return int(st.session_state.setdefault(_seen_key(view), now))


def _changed_by_somebody(view: RunView) -> str:
    """Return the author of a newer decision than this session has seen, or nothing."""
    seen = _seen(view)
    return view.decision.to_text() if view.decision and view.decision.revision != seen else ""


def _offer_to_store(picked: Picked) -> None:
    run = picked.selection.run
    with st.popover(texts.STORE, icon=":material/bookmark_add:"):
        known = user()
        by = st.text_input(
            texts.BY, known or decide(picked.choice).by, key=f"decide_by:{run}", disabled=bool(known)
        )
        why = st.text_input(texts.WHY, key=f"decide_why:{run}", help=texts.WHY_HELP)
        if st.button(texts.STORE_SURE, type="primary", key="decide"):
            try:
                store_choice(picked, (known or by).strip(), why.strip())
            except ChangedError as error:
                st.session_state[f"decision_problem:{run}"] = str(error)
            except (WorkbenchError, OSError) as error:
                st.error(plain(error, 600))
                return
            st.rerun()


def _as_decided(stored: RunView) -> None:
    """Reset the selection of this session to the stored decision."""
    run = stored.folder.name
    st.session_state[_seen_key(stored)] = stored.decision.revision if stored.decision else 0
    forget_money(run)
    remember(Selection(run))
    restore(Selection(run), stored.terms.pick, again=True)
