"""Metrics of prompted segmentation and naming, and of detection on COCO and LVIS."""

from .calibration_error import expected_calibration_error, fit_temperature
from .click_metric import ClickMetric
from .dump_detections import DumpDetections
from .found_objects_metric import FoundObjectsMetric
from .lvis_metric import OVLVISMetric
from .open_vocabulary_metric import OpenVocabularyMetric
from .vocabulary_coco_metric import VocabularyCocoMetric

__all__ = [
    'ClickMetric',
    'DumpDetections',
    'FoundObjectsMetric',
    'OVLVISMetric',
    'OpenVocabularyMetric',
    'VocabularyCocoMetric',
    'expected_calibration_error',
    'fit_temperature',
]
