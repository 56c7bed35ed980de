"""Metrics of prompted segmentation and naming, and of detection on COCO and LVIS."""

from .calibration_error import expected_calibration_error, fit_temperature
from .click_metric import ClickMetric
from .dump_detections import DumpDetections
from .everything_metric import EverythingMetric
from .found_objects_metric import FoundObjectsMetric
from .lvis_metric import OVLVISMetric
from .open_vocabulary_metric import OpenVocabularyMetric
from .vocabulary_coco_metric import VocabularyCocoMetric

__all__ = [
    'ClickMetric',
    'DumpDetections',
    'EverythingMetric',
    'FoundObjectsMetric',
    'OVLVISMetric',
    'OpenVocabularyMetric',
    'VocabularyCocoMetric',
    'expected_calibration_error',
    'fit_temperature',
]
