"""The masks of one image of SA-1B."""

import json
from typing import Optional

from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ..utils.storage import read_bytes
from .coco_annotations import box_fault, mask_fault


@TRANSFORMS.register_module()
class LoadSA1BAnnotations(BaseTransform):
    """Reads ``sa_<number>.json`` beside an image; mmdet's ``LoadAnnotations`` does the rest.

    All masks are of the one class ``object``. Put it before the image is loaded, which then is
    checked against the annotation's size.

    Required key: ``img_path``. Added: ``height``, ``width``, ``instances`` with ``bbox``
    (xyxy, pixels), ``bbox_label``, ``ignore_flag`` and ``mask`` (run lengths).

    Args:
        backend_args: Of mmengine's file client, for other places than a local disk.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not of SA-1B's format, or a mask is of another size than its image.
    """

    def __init__(self, backend_args: Optional[dict] = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Read one image's masks."""
        path = f'{results["img_path"].rpartition(".")[0]}.json'
        try:
            text = read_bytes(path, self.backend_args)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'There are no masks {path}: SA-1B has them in the same archive as the image.'
            ) from error
        try:
            content = json.loads(text)
            image = content['image']
            results.update(
                height=image['height'],
                width=image['width'],
                instances=[
                    _instance(place, annotation, image)
                    for place, annotation in enumerate(content['annotations'])
                ],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{path} is not an annotation of SA-1B: {type(error).__name__} {error}'
            ) from error
        return results


def _instance(place: int, annotation: dict, image: dict) -> dict:
    box, mask = annotation['bbox'], annotation['segmentation']
    fault = box_fault(box) or mask_fault(mask, image)
    if fault:
        raise ValueError(f'annotations[{place}] {fault}')
    x, y, width, height = box
    return dict(
        bbox=[x, y, x + width, y + height],
        bbox_label=0,
        ignore_flag=0,
        mask=dict(size=mask['size'], counts=mask['counts']),
    )
