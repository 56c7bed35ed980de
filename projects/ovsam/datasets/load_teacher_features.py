"""Stored teacher features as part of a data sample."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from .feature_store import FeatureStore
from .teacher_features import image_name


@TRANSFORMS.register_module()
class LoadTeacherFeatures(BaseTransform):
    """Reads an image's record from a :class:`FeatureStore`, in the data loader's processes.

    It comes after ``PackDetInputs``, whose ``meta_keys`` have ``img_path``. Added:
    ``data_samples.teacher_features``, a :class:`TeacherFeatures`; ``StoredTeacher`` makes sure
    that it is of the model's teacher and of the image as it was augmented.

    Args:
        folder: Of the store, made by ``tools/dump_sam_features.py``.
        backend_args: Of mmengine's file client.

    Raises:
        FileNotFoundError: The image has no record.
        ValueError: Its record is damaged or foreign; the message names it.
    """

    def __init__(self, folder: str, backend_args: dict | None = None) -> None:
        self.store = FeatureStore(folder, backend_args)

    def transform(self, results: dict) -> dict:
        """Read one record."""
        sample = results['data_samples']
        sample.teacher_features = self.store.read(image_name(sample.img_path))
        return results
