"""Pictures of what a model found, written while it is tested."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

from ..utils.storage import read_stored_image
from ..visualization import draw_segments


@HOOKS.register_module()
class DrawSegmentsHook(Hook):
    """Writes each tested image with its masks and names.

    Args:
        out_dir: Folder of the pictures. Each is named like its image, folders of the data set
            included: ``a/1.jpg`` becomes ``a/1.jpg.png``.
        score_thr: Rows with a lower score are not drawn.
    """

    def __init__(self, out_dir: str, score_thr: float = 0.0):
        self.out_dir, self.score_thr = Path(out_dir), score_thr

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[Sequence[DetDataSample]] = None,
    ) -> None:
        """Draw one batch."""
        model = runner.model.module if hasattr(runner.model, 'module') else runner.model
        classes = getattr(getattr(model, 'vocabulary', None), 'names', None)
        dataset = getattr(getattr(runner, 'test_dataloader', None), 'dataset', None)
        images = (getattr(dataset, 'data_prefix', None) or {}).get('img')
        for sample in outputs or ():
            found = sample.pred_instances
            if 'scores' in found:
                found = found[found.scores >= self.score_thr]
            masks = (
                found.masks.cpu().numpy()
                if 'masks' in found
                else np.zeros((0, *sample.ori_shape[:2]), bool)
            )
            names = scores = None
            if classes and 'labels' in found:
                names = [classes[label] for label in found.labels.tolist()]
                scores = found.scores.tolist()
            image = read_stored_image(sample.img_path, tuple(sample.ori_shape[:2]))
            picture = draw_segments(image, masks, names, scores)
            path = self.out_dir / picture_name(sample.img_path, images)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)


def picture_name(image: str, folder: Optional[str] = None) -> Path:
    """What the picture of an image is called.

    Args:
        image: Path of the file.
        folder: Where the data set's images lie; of others, and without it, the name alone counts.
    """
    path = Path(image)
    inside = folder is not None and path.is_relative_to(folder)
    path = path.relative_to(folder) if folder is not None and inside else Path(path.name)
    return path if path.suffix.lower() == '.png' else path.with_name(f'{path.name}.png')
