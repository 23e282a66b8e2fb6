"""How a process opens the prediction log for a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..bundle.bundle import Bundle
from .background import PredictionLog
from .folder import prepare
from .masking import read_masks
from .options import LogOptions
from .records import Identity, RecordEncoder
from .reference import reference_of
from .sealing import SegmentModel
from .writer import LogWriter, SegmentLimits


@contextmanager
def logged_job(
    options: LogOptions | None, bundle: Bundle, notify: Callable[[str], None]
) -> Iterator[PredictionLog | None]:
    """Yield the log of a job that ends, and write all of it when the block does; None without
    options.

    Raises
    ------
    InputError
        As for `open_log`.
    """
    log = open_log(options, bundle, notify) if options is not None else None
    try:
        yield log
    finally:
        if log is not None:
            log.close()
            left_out = log.counts().lost
            if left_out:
                notify(
                    f"warning: {left_out:,} rows are not in the prediction log, which could not be written"
                )


def open_log(
    options: LogOptions,
    bundle: Bundle,
    notify: Callable[[str], None],
    *,
    limits: SegmentLimits | None = None,
) -> PredictionLog | None:
    """Return the log of a process; None if the folder cannot be written, which is reported in one
    line.

    Parameters
    ----------
    options : LogOptions
    bundle : Bundle
    notify : callable
        Takes one line for the operator.
    limits : SegmentLimits, optional

    Raises
    ------
    InputError
        If the folder holds other things than a log, or a log of a newer format, or if a mask is
        wrong.
    """
    schema, manifest = bundle.schema, bundle.manifest
    masks = read_masks(options.mask, schema.names, options.mask_key)
    endpoint = options.endpoint or manifest.name
    identity = Identity(endpoint, manifest.name, manifest.version, manifest.model_id)
    reference = reference_of(schema, bundle.path, masks)
    try:
        prepare(options.folder, schema, identity, reference, masks)
    except OSError as error:
        why = error.strerror or str(error)
        notify(f"the prediction log is off: {options.folder} cannot be written ({why})")
        return None
    encoder = RecordEncoder(schema, identity, masks, options.sample)
    columns = tuple(
        (column.name, "category" if column.name in masks.hashed else column.kind)
        for column in schema.columns
        if column.name not in masks.removed
    )
    model = SegmentModel(manifest.model_id, columns, encoder.classes, reference, options.sample)
    most = None if options.max_mb is None else int(options.max_mb * 1e6)
    writer = LogWriter(
        options.folder,
        encoder,
        model,
        limits=limits,
        keep_s=options.keep_s,
        max_bytes=most,
        notify=notify,
    )
    return PredictionLog(writer)
