"""Keeps what was used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar('Value')


class BoundedCache(Generic[Value]):
    """The values that were used last, for several threads.

    Args:
        capacity: How many to keep; of more, those go that were not used for longest.
        most_bytes: So many bytes, likewise; one value is kept however large it is.
        nbytes: What a value takes; nothing if not given.

    Raises:
        ValueError: ``capacity`` is not positive.
    """

    def __init__(
        self,
        capacity: int,
        most_bytes: float = float('inf'),
        nbytes: Callable[[Value], int] = lambda _: 0,
    ) -> None:
        if capacity < 1:
            raise ValueError(f'a cache keeps at least one; got {capacity}')
        self._capacity = capacity
        self._most_bytes = most_bytes
        self._measure = nbytes
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        """The value, which thereby is the last one used; None if it is not there."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value."""
        size = self._measure(value)
        with self._lock:
            self._drop(key)
            self._values[key] = value, size
            self.nbytes += size
            while len(self._values) > self._capacity or (
                self.nbytes > self._most_bytes and len(self._values) > 1
            ):
                self._drop(next(iter(self._values)))

    def pop(self, key: Hashable) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        if key in self._values:
            self.nbytes -= self._values.pop(key)[1]
