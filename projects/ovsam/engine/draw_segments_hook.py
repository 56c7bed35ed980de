"""Pictures of what a model found, written while it is tested."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..detectors.detector_names import num_classes
from ..prompts import Prompts
from ..utils.files import write_whole
from ..utils.images import png
from ..utils.storage import read_stored_image
from ..visualization import draw_segments
from .wrappers import classes_of, plain_datasets, plain_model


@HOOKS.register_module()
class DrawSegmentsHook(Hook):
    """Writes each tested image with its masks, or boxes where there are none, and names.

    Names are the model's or, of a model without, the data set's.

    Args:
        out_dir: Folder of the pictures. Each is named like its image, folders of the data set
            included: ``a/1.jpg`` becomes ``a/1.jpg.png``. Of several data sets, the folders below
            the one that holds them all are.
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
        """Draw one batch.

        Raises:
            ValueError: The model finds no objects.
        """
        model = plain_model(runner.model)
        dataset = runner.test_dataloader.dataset
        classes, images = _classes(model, dataset), _image_folder(dataset)
        for sample in outputs or ():
            if 'pred_instances' not in sample:
                raise ValueError(
                    f'{type(model).__name__} gives no masks and no boxes (pred_instances) to draw: '
                    'leave --show-dir out'
                )
            path = self.out_dir / picture_name(sample.img_path, images)
            write_whole(path, png(self._drawn(sample, classes)))

    def _drawn(self, sample: DetDataSample, classes: Sequence[str]):
        """The picture (h, w, 3) of a sample."""
        found = sample.pred_instances
        if 'scores' in found:
            found = found[found.scores >= self.score_thr]
        named = 'labels' in found
        return draw_segments(
            read_stored_image(sample.img_path, tuple(sample.ori_shape[:2])),
            found.masks if 'masks' in found else None,
            [classes[label] for label in found.labels.tolist()] if named and classes else None,
            found.scores.tolist() if named and 'scores' in found else None,
            None if 'masks' in found else Prompts.from_boxes(found.bboxes.cpu()),
        )


def _classes(model, dataset) -> Sequence[str]:
    """What labels mean; nothing if nobody says."""
    names = getattr(getattr(model, 'vocabulary', None), 'names', None)
    if names is not None:
        return names
    classes, *others = classes_of(dataset)
    if any(other != classes for other in others):
        return ()
    # A detector of objects of any kind has one label, which is no name of the data.
    count = num_classes(getattr(model, 'detector', model))
    return classes if count in (None, len(classes)) else ()


def _image_folder(dataset) -> Optional[str]:
    """The folder that holds all images of a data set or a wrapper; None if there is none."""
    prefixes = [getattr(each, 'data_prefix', None) or {} for each in plain_datasets(dataset)]
    folders = {os.path.abspath(each['img']) for each in prefixes if each.get('img')}
    try:
        return os.path.commonpath(folders)
    except ValueError:  # there are none, or, on Windows, they are on several drives
        return None


def picture_name(image: str, folder: Optional[str] = None) -> Path:
    """What the picture of an image is called.

    Args:
        image: Path of the file.
        folder: Where the data set's images lie; of others, and without it, the name alone counts.
    """
    path, root = Path(os.path.abspath(image)), folder and os.path.abspath(folder)
    path = path.relative_to(root) if root and path.is_relative_to(root) else Path(path.name)
    return path if path.suffix.lower() == '.png' else path.with_name(f'{path.name}.png')
