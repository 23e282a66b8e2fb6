"""Remove the encoder steps that a model does not use, so that serving does not compute them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.families.forms.forms import Form
from workbench.families.forms.trees import Trees
from workbench.runtime.core.encoder import Encoder, Step


def prune(encoder: Encoder, form: Form) -> tuple[Encoder, Form]:
    """Return the encoder without the steps that no tree uses, and the trees renumbered.

    Forms other than trees use every feature and are returned unchanged.

    Examples
    --------
    >>> from workbench.families.forms.trees import constant_trees
    >>> from workbench.runtime.core.encoder import Number
    >>> pruned, _ = prune(Encoder((), (Number("age"), Number("size"))), constant_trees(np.ones(1), "identity"))
    >>> pruned.feature_names()
    ['age']
    """
    if not isinstance(form, Trees):
        return encoder, form
    widths = np.asarray([len(step.names()) for step in encoder.steps], dtype=np.intp)
    step_of = np.repeat(np.arange(len(widths)), widths)
    used = np.zeros(len(widths), dtype=bool)
    used[step_of[form.columns()]] = True
    if not used.any():
        used[:1] = True  # a model has at least one feature
    if used.all():
        return encoder, form
    kept = used[step_of]
    place = np.cumsum(kept) - 1
    steps = tuple(step for step, wanted in zip(encoder.steps, used.tolist(), strict=True) if wanted)
    read = {step.column for step in steps}
    derived = tuple(each for each in encoder.derived if each.name in read)
    return Encoder(derived, steps), form.renumbered(place)


def union(encoders: Sequence[Encoder]) -> tuple[Encoder, list[np.ndarray]]:
    """Return one encoder of all distinct steps, and the positions of each encoder's features in it.

    Examples
    --------
    >>> from workbench.runtime.core.encoder import Missing, Number
    >>> one, two = Encoder((), (Number("age"),)), Encoder((), (Missing("age"), Number("age")))
    >>> whole, places = union([one, two])
    >>> whole.feature_names(), [each.tolist() for each in places]
    (['age', 'age missing'], [[0], [1, 0]])
    """
    derived = {each.name: each for encoder in encoders for each in encoder.derived}
    steps: list[Step] = []
    starts: list[int] = []
    width = 0
    places = []
    for encoder in encoders:
        own: list[int] = []
        for step in encoder.steps:
            count = len(step.names())
            found = next((at for at, known in enumerate(steps) if _same(known, step)), None)
            if found is None:
                found = len(steps)
                steps.append(step)
                starts.append(width)
                width += count
            own += range(starts[found], starts[found] + count)
        places.append(np.asarray(own, dtype=np.int64))
    return Encoder(tuple(derived.values()), tuple(steps)), places


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other
