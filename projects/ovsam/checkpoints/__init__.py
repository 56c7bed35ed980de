"""Every file of weights, in and out: loading safely, published keys, conversion, download.

:mod:`~ovsam.checkpoints.model_index` is the list, :mod:`~ovsam.checkpoints.download` fetches,
:mod:`~ovsam.checkpoints.conversion` renames, both ways.
"""
