"""What there is to know of an exported model beside its graphs: the content of ``model.json``."""

from __future__ import annotations

from typing import Any, NoReturn

from mmdet.models.data_preprocessors import DetDataPreprocessor
from torch import nn

from ..masks import InsideBox, LargeParts, LikelyPixels
from ..naming.scores import GeometricFusion, OpenVocabularyClassifier, TemperatureScaling
from ..parts.mask_decoder import AllGuesses, AllMasks, AmbiguityAwareChoice, FirstMask
from ..parts.prompt_encoder import MASK_SCALE
from ..segmenters.mirrored_ovsam import MirroredOVSAM
from ..segmenters.ovsam import OVSAM
from ..segmenters.zoomed_pass import ZoomedPass


def model_settings(model: nn.Module) -> dict[str, Any]:
    """How images are prepared, masks are chosen and cleaned, and names are compared.

    Raises:
        ValueError: The model, or one of its parts, is of a kind that runs in torch only.
    """
    if not isinstance(model, OVSAM):
        if hasattr(model, 'detector'):
            refuse_detector(type(model.detector).__name__)
        raise ValueError(
            f'a {type(model).__name__} cannot be exported: only OVSAMs can, give a config such as '
            'configs/mini/ovsam_box.py'
        )
    if isinstance(model, MirroredOVSAM):
        raise ValueError(
            'a MirroredOVSAM cannot be exported, as its decoder reads two embeddings: export it as '
            "type='OVSAM'"
        )
    if model.skip_padding:
        raise ValueError('a model with skip_padding cannot be exported: set skip_padding=False')
    pre = _part('data_preprocessor', model.data_preprocessor, DetDataPreprocessor)
    if not pre._channel_conversion:
        raise ValueError('the data_preprocessor cannot be exported without bgr_to_rgb=True')
    encoder, decoder = model.prompt_encoder, model.mask_decoder
    choice = _part(
        'mask_choice', model.mask_choice, FirstMask, AmbiguityAwareChoice, AllGuesses, AllMasks
    )
    return {
        'domain': getattr(model, 'domain', None),
        'image': {
            'size': encoder.image_size,
            'mean': pre.mean.flatten().tolist(),
            'std': pre.std.flatten().tolist(),
        },
        'masks': {
            'size': MASK_SCALE * encoder.embedding_size,
            'count': decoder.num_mask_tokens,
            'quality': decoder.iou_token is not None,
            'choice': type(choice).__name__,
            'cleaning': [_cleaning(step) for step in model.mask_cleaning],
            'zoomed_at_once': _zoomed_at_once(model),
        },
        'chunk_size': model.chunk_size,
        'everything': model.everything,
        'names': _naming(model),
    }


def refuse_detector(kind: str) -> NoReturn:
    """Say why a model with a detector in front, of this type, cannot be exported."""
    raise ValueError(
        f'the detector, a {kind}, cannot be exported: export the config of the OVSAM behind it, '
        'and give its predictor the boxes of a detector that you run yourself'
    )


def _zoomed_at_once(model: OVSAM) -> int:
    """Prompts that a zoomed pass takes at once; 0 without one."""
    if model.zoomed_pass is None:
        return 0
    zoomed_pass = _part('zoomed_pass', model.zoomed_pass, ZoomedPass)
    if model.second_look is not None:
        raise ValueError(
            'a model with a zoomed_pass and a second_look cannot be exported: leave one out'
        )
    return zoomed_pass.at_once


def _naming(model: OVSAM) -> dict[str, Any]:
    classifier = _part('classifier', model.classifier, OpenVocabularyClassifier)
    fusion, calibration = model.score_fusion, model.calibration
    if model.context is not None:
        raise ValueError('a model with a learned context cannot be exported: leave it out')
    if fusion is not None:
        _part('score_fusion', fusion, GeometricFusion)
    if calibration is not None:
        _part('calibration', calibration, TemperatureScaling)
    return {
        'text_encoder': model.text_encoder.fingerprint(),
        'channels': model.label_head.embed_dims,
        'scale': classifier.scale,
        'fusion': fusion
        and {'seen': fusion.seen, 'unseen': fusion.unseen, 'penalty': fusion.penalty},
        'temperature': calibration and calibration.temperature,
        'none_threshold': model.none_threshold,
        'second_look': _second_look(model),
    }


def _second_look(model: OVSAM) -> dict[str, float] | None:
    look = model.second_look
    if look is None:
        return None
    if look.min_cells:
        raise ValueError(
            'a second look at all small regions cannot be exported: leave min_cells out'
        )
    return {'margin': look.margin, 'first_opinion': look.first_opinion}


def _cleaning(step: nn.Module) -> dict[str, Any]:
    names = {
        InsideBox: ('margin',),
        LargeParts: ('min_share',),
        LikelyPixels: ('least', 'inside', 'outside'),
    }
    settings = names[type(_part('mask_cleaning', step, *names))]
    return {'type': type(step).__name__, **{name: getattr(step, name) for name in settings}}


def _part(name: str, part: Any, *kinds: type) -> Any:
    """The part itself, if it is of one of the kinds."""
    if type(part) not in kinds:
        expected = ' or '.join(kind.__name__ for kind in kinds)
        raise ValueError(
            f'the {name}, a {type(part).__name__}, cannot be exported: expected {expected}'
        )
    return part
