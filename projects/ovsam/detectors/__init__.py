"""Any mmdet detector, or a file of detections, in front of a segmenter."""

from .detection_naming import DetectorLabel, FusedLabel, SegmenterLabel
from .detections_from_file import DetectionsFromFile
from .detector_prompted_ovsam import DetectorPromptedOVSAM
