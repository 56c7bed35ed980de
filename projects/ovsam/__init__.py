"""Open-Vocabulary SAM for mmdet.

Importing this package registers its models, datasets, metrics and transforms in
mmdet's registries, makes mmcv's operators available where they are not compiled,
and lets mmengine's checkpoints load safely.
"""

from .ops import provide_mmcv_ops
from .utils.checkpoint import enable_safe_loading
from .version import __version__

provide_mmcv_ops()
enable_safe_loading()

# Only from here on can mmdet be imported.
from . import baselines, datasets, evaluation, models, prompts, vocabulary  # noqa: E402

__all__ = [
    '__version__',
    'baselines',
    'datasets',
    'evaluation',
    'models',
    'prompts',
    'vocabulary',
]
