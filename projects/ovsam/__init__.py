"""Open-Vocabulary SAM for mmdet.

Importing this package registers its models, datasets, metrics and transforms in
mmdet's registries, makes mmcv's operators available where they are not compiled,
and lets mmengine's checkpoints load safely.
"""

from .utils.opencv import require_opencv

require_opencv()

from .checkpoints.safe_loading import enable_safe_loading  # noqa: E402
from .ops import provide_mmcv_ops  # noqa: E402
from .version import __version__  # noqa: E402

provide_mmcv_ops()
enable_safe_loading()

# Only from here on can mmdet be imported.
from . import (  # noqa: E402
    apis,
    datasets,
    detectors,
    engine,
    evaluation,
    losses,
    masks,
    naming,
    parts,
    prompts,
    segmenters,
    vocabulary,
)

__all__ = [
    '__version__',
    'apis',
    'datasets',
    'detectors',
    'engine',
    'evaluation',
    'losses',
    'masks',
    'naming',
    'parts',
    'prompts',
    'segmenters',
    'vocabulary',
]
