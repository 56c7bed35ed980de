"""Published weights: what there is, where it is fetched from, and how it becomes this project's.

:mod:`~ovsam.weights.model_index` is the list, :mod:`~ovsam.weights.download` fetches,
:mod:`~ovsam.weights.conversion` renames, both ways.
"""
