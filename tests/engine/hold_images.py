"""A step of a pipeline that stops a process where a test wants it; imported in that process."""

import os
import time
from pathlib import Path

from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

LIMIT = 600  # seconds, after which a process that was forgotten ends


@TRANSFORMS.register_module()
class HoldImages(BaseTransform):
    """Waits for a file before an image, in processes of some ranks.

    Args:
        sign: The file.
        after: How many images pass before.
        ranks: Processes that wait.
    """

    def __init__(self, sign, after, ranks):
        self.sign, self.left, self.ranks = sign, after, ranks

    def transform(self, results):
        if int(os.environ.get('RANK', 0)) in self.ranks:
            self.left -= 1
            if self.left < 0:
                end = time.monotonic() + LIMIT
                while not Path(self.sign).exists():
                    if time.monotonic() > end:
                        raise TimeoutError(f'no {self.sign} within {LIMIT} s')
                    time.sleep(0.05)
        return results
