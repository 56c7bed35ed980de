"""Learn what names mean to an image tower: the small CLIP of the photographic model.

    python tools/fit_names.py configs/photo/names.py --out checkpoints/photo/names.pth

From sentences about ImageNet's 1,000 classes to the rows of the image tower's classifier, by
kernel ridge regression; takes a minute.
"""

import sys
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.checkpoints.loading import load_parts
from ovsam.naming.class_rows import fit_projection
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.files import whole_file


def fit(config: str, out: Path) -> None:
    """Fit the projection of the config's text encoder, and write it."""
    cfg = Config.fromfile(config)
    lacking = [key for key in ('held_out', 'ridge') if key not in cfg]
    if lacking:
        raise ValueError(
            f'{config} has no {" and no ".join(lacking)}: give the config of what names mean, such '
            'as configs/photo/names.py'
        )
    init_default_scope(cfg.default_scope)
    encoder = MODELS.build(cfg.model.text_encoder).eval()
    tower = MODELS.build(cfg.model.backbone).eval()
    for part in (encoder, tower):
        load_parts(part)
    count = fit_projection(encoder, tower, cfg.held_out, cfg.ridge)
    weights = encoder.projection.compact()
    with whole_file(out) as path:
        torch.save(dict(meta=dict(ovsam_version=ovsam.__version__), state_dict=weights), path)
    print(f'{out}: learned on {count} classes, {out.stat().st_size / 1e6:.1f} MB')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('config')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args(argv)
    return exit_status('fit_names', fit, args.config, args.out)


if __name__ == '__main__':
    sys.exit(main())
