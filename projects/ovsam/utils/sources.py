"""Where data sets and weights come from, for messages about missing ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_COCO = 'http://images.cocodataset.org'
_LVIS = 'https://dl.fbaipublicfiles.com/LVIS'
_PUBLISHED_CLIP = 'RN50x16'


def source_of(path: str) -> str | None:
    """How to get a file or folder that this project's configs name so; None for any other."""
    for pattern, advice in _SOURCES:
        match = re.search(pattern, path)
        if match:
            return advice if isinstance(advice, str) else advice(match)
    return None


def _learned(match: re.Match) -> str:
    """SAM2CLIP and CLIP2SAM: published for one CLIP, trained for the others."""
    stage, clip = match['stage'], match['clip']
    trained = _trained(f'{stage}/{Path(match[0]).stem}', match[0])
    return f'{_download(match)} or {trained}' if clip == _PUBLISHED_CLIP else trained


def _trained(config: str, path: str) -> str:
    return (
        f'python tools/train.py configs/{config}.py, then '
        f'python tools/export_checkpoint.py --out {path} work_dirs/.../epoch_*.pth'
    )


def _download(match: re.Match) -> str:
    name = Path(match[0]).stem.replace('_', '-').lower()
    return f'ovsam download {name}'


_JOINT_SOURCES = {
    'objects365v2': 'Objects365 v2 from https://www.objects365.org; see docs/data-and-training.md',
    'v3det': 'V3Det from https://v3det.openxlab.org.cn; see docs/data-and-training.md',
    'imagenet21k': 'ImageNet-21k from https://image-net.org, a folder for each synset in train/',
}

_SOURCES: tuple[tuple[str, str | Callable[[re.Match], str]], ...] = (
    (
        r'checkpoints/mini/',
        'python tools/make_mini.py (make mini), or take checkpoints/mini from a checkout',
    ),
    (
        r'checkpoints/(?P<stage>sam2clip|clip2sam)_(?P<clip>RN50x16|RN50x64|RN50|'
        r'convnext_large_d_320|ViT-L-14)\w*\.pth$',
        _learned,
    ),
    (
        r'checkpoints/(?P<kind>image|feature)_crop_coop_RN50x16_coco\.pth$',
        lambda m: _trained(f'baselines/{m["kind"]}_crop_coop_sam_vit_h_RN50x16_coco', m[0]),
    ),
    (r'checkpoints/(sam|clip)_[\w-]+\.pth$', _download),
    (r'(^|/)sam_features(/|$)', 'python tools/dump_sam_features.py with this config'),
    (r'(^|/)pictograms/', 'python tools/make_pictograms.py'),
    (
        r'(^|/)coco/annotations/',
        f'unpack {_COCO}/annotations/annotations_trainval2017.zip in data/coco',
    ),
    (r'(^|/)coco/(train|val)2017', lambda m: f'unpack {_COCO}/zips/{m[2]}2017.zip in data/coco'),
    (r'(^|/)coco/?$', f'unpack {_COCO}/zips/train2017.zip and val2017.zip in data/coco'),
    (
        r'(^|/)lvis/annotations/(lvis_v1_\w+)\.json',
        lambda m: f'unpack {_LVIS}/{m[2]}.json.zip in data/lvis/annotations',
    ),
    (r'(^|/)(objects365v2|v3det|imagenet21k)(/|$)', lambda m: _JOINT_SOURCES[m[2]]),
    (r'(^|/)data/detections/', 'write it with a detector, as docs/detectors.md says'),
    (
        r'(^|/)sa1b(/|$)',
        'archives sa_*.tar from '
        'https://ai.meta.com/datasets/segment-anything-downloads, each unpacked in '
        'a folder of its name',
    ),
)
