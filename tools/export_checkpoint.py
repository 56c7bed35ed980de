r"""Make a small file of weights from training checkpoints: half precision, only what is needed.

    python tools/export_checkpoint.py --out checkpoints/mini/sam.pth work_dirs/sam/iter_1600.pth
    python tools/export_checkpoint.py --out clip.pth CROPS.pth,clip. REGIONS.pth,backbone.=clip. \
        --weight 0.7

A source is FILE or FILE,PREFIX or FILE,PREFIX=NEW: only keys that start with PREFIX are taken, and
NEW takes its place. FILE may be a training's work_dir, for its last checkpoint. Tensors that
several sources have are averaged, a later source with --weight and what came before with the
rest: fine-tuning that way keeps what was known before (Wortsman et al., "Robust fine-tuning of
zero-shot models").
"""
import argparse
import io
import sys
import zipfile
from pathlib import Path

import torch
from mmengine.runner.checkpoint import CheckpointLoader

import ovsam
from ovsam.utils.files import write_whole


def read_source(source: str) -> dict:
    """Tensors of one source under their new keys, floating point in half precision."""
    path, _, rule = source.partition(',')
    prefix, _, new = rule.partition('=')
    if Path(path).is_dir():
        path = last_checkpoint(Path(path))
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    state = checkpoint.get('state_dict', checkpoint)
    chosen = {(new or prefix) + key[len(prefix):]: value for key, value in state.items()
              if key.startswith(prefix)}
    if not chosen:
        raise SystemExit(f'{path} has no key that starts with {prefix!r}; it has '
                         f'{sorted({key.split(".")[0] for key in state})}.')
    return chosen


def last_checkpoint(work_dir: Path) -> str:
    """The newest checkpoint of a training."""
    note = work_dir / 'last_checkpoint'
    if not note.exists():
        raise SystemExit(f'{work_dir} has no file last_checkpoint: no training has saved there.')
    return note.read_text(encoding='utf-8').strip()


def merge(sources: list, weight: float) -> dict:
    """One state dict of several; floating-point tensors are averaged, others the last one's."""
    merged = {}
    for key, value in (item for source in sources for item in source.items()):
        if key in merged and value.is_floating_point():
            value = torch.lerp(merged[key].float(), value.float(), weight)
        merged[key] = value
    return merged


def halved(state: dict) -> dict:
    """Floating-point tensors in half precision; what modules share stays one tensor."""
    halves: dict = {}

    def half(value: torch.Tensor) -> torch.Tensor:
        shared = value.data_ptr(), value.shape, value.stride()
        return halves.setdefault(shared, value.half())

    return {key: half(value) if value.is_floating_point() else value
            for key, value in state.items()}


def deflated(archive: io.BytesIO) -> bytes:
    """The same zip archive, compressed: torch stores without compression, but reads either."""
    compressed = io.BytesIO()
    with zipfile.ZipFile(archive) as plain, zipfile.ZipFile(
            compressed, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for item in plain.infolist():
            target.writestr(item.filename, plain.read(item))
    return compressed.getvalue()


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sources', nargs='+', metavar='SOURCE')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--weight', type=float, default=1., help='of later sources (%(default)s)')
    args = parser.parse_args(argv)
    if not 0 <= args.weight <= 1:
        parser.error(f'--weight must lie in [0, 1], got {args.weight}')
    state = merge([read_source(source) for source in args.sources], args.weight)
    state = halved(state)
    buffer = io.BytesIO()
    torch.save(dict(meta=dict(ovsam_version=ovsam.__version__), state_dict=state), buffer)
    write_whole(args.out, deflated(buffer))
    count = sum(value.numel() for value in {v.data_ptr(): v for v in state.values()}.values())
    print(f'{args.out}: {len(state)} tensors, {count / 1e6:.2f} M values, '
          f'{args.out.stat().st_size / 1e6:.1f} MB')
    return 0


if __name__ == '__main__':
    sys.exit(main())
