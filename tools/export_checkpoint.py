"""Make a small file of weights from training checkpoints: half precision, only what is needed.

    python tools/export_checkpoint.py --out checkpoints/mini/sam.pth work_dirs/sam/iter_1600.pth
    python tools/export_checkpoint.py --out clip.pth CLIP.pth,clip. REGIONS.pth,backbone.=clip.

A source is FILE or FILE,PREFIX or FILE,PREFIX=NEW: only keys that start with PREFIX are taken, and
NEW takes its place. Later sources override earlier ones.
"""
import argparse
import os
import sys
from pathlib import Path

import torch
from mmengine.runner.checkpoint import CheckpointLoader

import ovsam


def read_source(source: str) -> dict:
    """Tensors of one source under their new keys, floating point in half precision."""
    path, _, rule = source.partition(',')
    prefix, _, new = rule.partition('=')
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    state = checkpoint.get('state_dict', checkpoint)
    chosen = {(new or prefix) + key[len(prefix):]: value for key, value in state.items()
              if key.startswith(prefix)}
    if not chosen:
        raise SystemExit(f'{path} has no key that starts with {prefix!r}; it has '
                         f'{sorted({key.split(".")[0] for key in state})}.')
    return {key: value.half() if value.is_floating_point() else value
            for key, value in chosen.items()}


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sources', nargs='+', metavar='SOURCE')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args(argv)
    state = {}
    for source in args.sources:
        state.update(read_source(source))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    partial = args.out.with_suffix('.partial')
    torch.save(dict(meta=dict(ovsam_version=ovsam.__version__), state_dict=state), partial)
    os.replace(partial, args.out)
    count = sum(value.numel() for value in state.values())
    print(f'{args.out}: {len(state)} tensors, {count / 1e6:.2f} M values, '
          f'{args.out.stat().st_size / 1e6:.1f} MB')
    return 0


if __name__ == '__main__':
    sys.exit(main())
