"""Reading images for training and evaluation as the predictor reads them."""

from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ..utils.storage import read_stored_image


@TRANSFORMS.register_module()
class LoadAnnotatedImage(BaseTransform):
    """mmcv's ``LoadImageFromFile`` for files whose annotations say how large they are.

    mmcv turns a picture as EXIF says, whatever its annotations count with, and then masks lie
    elsewhere without a word. Here ``height`` and ``width`` of the annotation decide, where it has
    them; see :func:`~ovsam.utils.images.read_image`, which reads greyscale, 16-bit and CMYK
    pictures, too.

    Required key: ``img_path``; read if there: ``height``, ``width``, ``img_id``. Added:
    ``img`` (H, W, 3) BGR uint8, ``img_shape``, ``ori_shape``.

    Args:
        backend_args: Of mmengine's file client, for other places than a local disk.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a picture, is damaged, too large, or of another size than its
            annotation; the message has the file and the image's id.
    """

    def __init__(self, backend_args: Optional[dict] = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Read one image."""
        size = (results['height'], results['width']) if 'height' in results else None
        try:
            rgb = read_stored_image(str(results['img_path']), size, self.backend_args)
        except ValueError as error:
            if 'img_id' not in results:
                raise
            raise ValueError(f'Image {results["img_id"]}: {error}') from error
        image = np.ascontiguousarray(rgb[..., ::-1])
        results.update(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return results
