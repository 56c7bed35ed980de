"""Metrics of prompted segmentation and naming, and of detection on LVIS."""

from .click_metric import ClickMetric
from .lvis_metric import OVLVISMetric
from .open_vocabulary_metric import OpenVocabularyMetric

__all__ = ['ClickMetric', 'OVLVISMetric', 'OpenVocabularyMetric']
