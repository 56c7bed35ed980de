"""What one process does for a job, until the whole job is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from ..utils.files import full_disk_says
from .annotator import annotate_share
from .claims import ClaimLost, Claims
from .image_source import ImageSource
from .job import Job
from .merge import Summary, merge
from .shares import SUMMARY, Share, Shares

# Seconds between two looks at what others have done.
REFRESH = 10.0


def run_job(
    job: Job,
    claims: Claims,
    annotate: Callable[[Path], dict],
    source: ImageSource,
    place: tuple[int, int] = (0, 1),
    max_tries: int = 3,
) -> Summary:
    """Do shares until none is left, then put all of them together, unless another process does.

    Args:
        job: that has been begun.
        claims: of the job.
        annotate: gives the record of an image file.
        source: of the images.
        place: number of this process and how many there are; number 0 shows the progress of all.
        max_tries: an image at which so many processes ended is left out.

    Raises:
        OSError: the disk is full, or the images' folder has gone.
        ValueError: a part is damaged, or ``max_tries`` is not positive.
    """
    if max_tries < 1:
        raise ValueError(f'max_tries must be positive; got {max_tries}')
    rank, world = place
    shares = Shares(job, claims, start=rank * job.index.summary.shares // world)
    with (
        Progress(shares, show=rank == 0) as progress,
        full_disk_says(job.folder, progress.in_words),
    ):
        for share in shares.take_all(waiting=progress.update):
            try:
                with share.claim.held():
                    annotate_share(share, annotate, source, max_tries, report, progress.update)
            except ClaimLost as lost:
                report(f'share {lost}; going on with others')
        progress.update()
        claims.once('merge', (job.folder / SUMMARY).exists, lambda claim: merge(job, claim.beat))
    return Summary.read(job.folder)


class Progress:
    """A bar of the images of the whole job, whoever does them, with rate and time left.

    Args:
        shares: of the job.
        show: whether to show it, and to look for what others have done.
    """

    def __init__(self, shares: Shares, show: bool = True) -> None:
        self._shares = shares
        self._share: Share | None = None
        self._looked = time.monotonic()
        shares.missing()
        self._bar = tqdm(
            total=shares.job.index.summary.images,
            initial=shares.images_done(),
            desc='annotate',
            unit='image',
            smoothing=0,
            disable=not show,
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error) -> None:
        self._bar.close()

    def update(self, share: Share | None = None) -> None:
        """Count again, with what is done of the share that this process is at."""
        self._share = share
        if not self._bar.disable and time.monotonic() - self._looked > REFRESH:
            self._looked = time.monotonic()
            self._shares.missing()
        self._bar.update(max(0, self._done() - self._bar.n))

    def in_words(self) -> str:
        """How far the job is."""
        self._shares.missing()
        return f'{self._done():,} of {self._shares.job.index.summary.images:,} images'

    def _done(self) -> int:
        done = self._shares.images_done()
        share = self._share
        if share is not None and not self._shares.is_done(share.number):
            done += share.done
        return done


def report(line: str) -> None:
    """Say something beside the bar."""
    tqdm.write(line, file=sys.stderr)
