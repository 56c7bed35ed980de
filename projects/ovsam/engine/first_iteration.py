"""Tells faults of what a run is given from faults of the code that it runs."""

from __future__ import annotations

from mmengine.hooks import Hook


class FirstIteration(Hook):
    """Notes when the first iteration begins: what a library refuses from then on is no bad input.

    Attributes:
        reached: Whether it has begun.
    """

    priority = 'VERY_HIGH'
    reached = False

    def before_train_iter(self, *args, **kwargs) -> None:
        """Note it."""
        self.reached = True

    before_test_iter = before_train_iter
