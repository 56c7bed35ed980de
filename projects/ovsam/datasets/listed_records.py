"""Records of a data set that are made when they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from mmengine.logging import MMLogger

from ..utils.wording import listed
from .image_listing import ImageListing


def listed_arguments(arguments: dict) -> dict:
    """What mmengine's data sets need to know to take :class:`ListedRecords`, added to arguments.

    Records are left unmade, and ``data_root``, which may be an address, is not joined with folders.

    Raises:
        ValueError: The arguments say something else.
    """
    needed = dict(serialize_data=False, data_prefix={})
    wrong = [name for name in needed if name in arguments]
    if wrong:
        raise ValueError(
            f'{" and ".join(wrong)} cannot be given with a listing: its paths count '
            'from data_root, and its records are made when they are asked for'
        )
    return {**arguments, **needed}


class ListedRecords(Sequence):
    """What mmengine's data sets take for their ``data_list``, without a list of millions of dicts.

    The data set needs :func:`listed_arguments`.

    Args:
        listing: Of the images.
        rows: Which ones, as ranges one after the other.
        record: What makes the record of an image, of its number in the listing and its path.
    """

    def __init__(
        self, listing: ImageListing, rows: Sequence[range], record: Callable[[int, str], dict]
    ) -> None:
        self.listing = listing
        self.rows = [part for part in rows if len(part)]
        self.record = record
        self._ends = list(accumulate(map(len, self.rows)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(  # type: ignore[override]  # mmengine asks for both by one call
        self, index: int | slice
    ) -> dict | ListedRecords:
        """The record of one image, or the records of a stretch of them."""
        if isinstance(index, slice):
            return ListedRecords(self.listing, self._stretch(index), self.record)
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f'record {index} of {len(self)}')
        part = bisect_right(self._ends, place)
        number = self.rows[part][place - self._ends[part]]  # counted from the range's end
        return self.record(number, self.listing[number])

    def _stretch(self, stretch: slice) -> list[range]:
        first, last, step = stretch.indices(len(self))
        if step != 1:
            raise ValueError(f'records are taken one after the other, not every {step}')
        starts = [end - len(part) for end, part in zip(self._ends, self.rows)]
        return [
            part[max(first - start, 0) : max(last - start, 0)]
            for start, part in zip(starts, self.rows)
        ]


def warn_of_changes(listing: ImageListing, root: str, backend_args: dict | None) -> None:
    """Log if folders have changed since a listing was made; not looked for in object stores."""
    if backend_args is not None or '://' in root:
        return
    changed = listing.changed_folders(root)
    if changed:
        MMLogger.get_current_instance().warning(
            f'{len(changed)} of the folders in {root} have changed since {listing.path} was made '
            f'({listed(map(repr, changed))}): tools/list_images.py {root} --out '
            f'{listing.path} --verify tells whether images have, and makes it anew without '
            '--verify'
        )
