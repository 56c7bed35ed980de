"""Metrics of prompted segmentation and naming, and of detection on COCO and LVIS."""

from .calibration_error import expected_calibration_error, fit_temperature
from .click_metric import ClickMetric
from .clicked_ovsam import ClickedOVSAM
from .dump_detections import DumpDetections
from .everything_metric import EverythingMetric
from .everything_ovsam import EverythingOVSAM
from .found_objects import FoundObjectsOVSAM
from .found_objects_metric import FoundObjectsMetric
from .lvis_metric import OVLVISMetric
from .open_vocabulary_metric import OpenVocabularyMetric
from .skip_ovsam_protocols import (
    ClickedSkipOVSAM,
    EverythingSkipOVSAM,
    ImageCropSkipOVSAM,
    TaughtSkipOVSAM,
)
from .taught_ovsam import TaughtOVSAM
from .vocabulary_coco_metric import VocabularyCocoMetric
from .yardsticks import FilledBoxes, GrabCut
