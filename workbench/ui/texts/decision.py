"""The decision stored in a run."""

from __future__ import annotations

NONE = (
    "**Nobody has decided yet.** Exports, reports and other people see the choice that follows from the goal."
)
KEPT = "**Decided**: {who}. Exports, reports and everybody who opens this run go by it."
OTHER = "**Not what is decided** ({who}). What differs here is seen in this address only:"
EXPORT_STORES = "Exporting also stores this choice as the decision about the run."
CHANGED = "The decision changed while this page was open: {who}."
WHAT = "Chosen here: {what}."
BY_HAND, AT, PAYS = "picked by hand", "threshold {threshold}", "outcomes pay {payoff}"
STORE = "Decide so"
STORE_SURE = "Store the decision"
AS_DECIDED = "Show what is decided"
BY = "Who decides"
WHY = "Why"
WHY_HELP = "Kept in the run and in the bundles exported under it."
PICK = "chosen: {now}; decided: {stored}"
LIMIT = "limit: {now}; decided: {stored}"
PAYOFF = "outcomes pay {now}; decided: {stored}"
THRESHOLD = "threshold: {now}; decided: {stored}"
TRAFFIC = "calls a month: {now}; decided: {stored}"
NO_LIMIT, NOT_GIVEN, OWN = "none", "not given", "as the search set it"
