r"""Make a small file of weights from training checkpoints: half precision, only what is needed.

    python tools/export_checkpoint.py --out checkpoints/mini/sam.pth work_dirs/sam/iter_1600.pth
    python tools/export_checkpoint.py --out clip.pth CROPS.pth,clip. REGIONS.pth,backbone.=clip. \
        --weight 0.7

A source is FILE or FILE,PREFIX or FILE,PREFIX=NEW: only keys that start with PREFIX are taken, and
NEW, which may be empty, takes its place. FILE may be a training's work_dir, for its last
checkpoint. Tensors that several sources have are averaged, a later source with --weight and what
came before with the rest: fine-tuning that way keeps what was known before (Wortsman et al.,
"Robust fine-tuning of zero-shot models").
"""

import io
import sys
import zipfile
from pathlib import Path

import torch
from mmengine.runner import find_latest_checkpoint

import ovsam
from ovsam.checkpoints.loading import read_state_dict
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.files import write_whole
from ovsam.utils.wording import listed


def read_source(source: str) -> dict:
    """Tensors of one source under their new keys."""
    path, _, rule = source.partition(',')
    prefix, given, new = rule.partition('=')
    if Path(path).is_dir():
        folder, path = path, find_latest_checkpoint(path)
        if path is None:
            raise ValueError(f'{folder} has no file last_checkpoint: no training has saved there')
    state = read_state_dict(path)
    chosen = {
        (new if given else prefix) + key[len(prefix) :]: value
        for key, value in state.items()
        if key.startswith(prefix)
    }
    if not chosen:
        raise ValueError(
            f'{path} has no key that starts with {prefix!r}; it has '
            f'{listed(sorted({key.split(".")[0] for key in state}), near=prefix)}'
        )
    return chosen


def merge(sources: list, weight: float) -> dict:
    """One state dict of several; floating-point tensors are averaged, others the last one's."""
    merged = {}
    for key, value in (item for source in sources for item in source.items()):
        if key in merged and merged[key].shape != value.shape:
            raise ValueError(
                f'{key} is {tuple(merged[key].shape)} in one source and {tuple(value.shape)} in '
                'another: only sources of one architecture can be merged'
            )
        if key in merged and value.is_floating_point():
            value = torch.lerp(merged[key].float(), value.float(), weight)
        merged[key] = value
    return merged


def halved(state: dict) -> dict:
    """Floating-point tensors in half precision; what modules share stays one tensor."""
    halves: dict = {}

    def half(key: str, value: torch.Tensor) -> torch.Tensor:
        shared = value.data_ptr(), value.shape, value.stride()
        found = halves.setdefault(shared, value.half())
        if not torch.equal(found.isinf(), value.isinf()):
            raise ValueError(
                f'{key} has values beyond 65504, the largest of half precision: it cannot be '
                'exported'
            )
        return found

    return {
        key: half(key, value) if value.is_floating_point() else value
        for key, value in state.items()
    }


def deflated(archive: io.BytesIO) -> bytes:
    """The same zip archive, compressed: torch stores without compression, but reads either."""
    compressed = io.BytesIO()
    with (
        zipfile.ZipFile(archive) as plain,
        zipfile.ZipFile(compressed, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for item in plain.infolist():
            target.writestr(item.filename, plain.read(item))
    return compressed.getvalue()


def export(sources: list[str], weight: float, out: Path) -> None:
    """Read, merge, write, and say how much it is."""
    state = halved(merge([read_source(source) for source in sources], weight))
    buffer = io.BytesIO()
    torch.save(dict(meta=dict(ovsam_version=ovsam.__version__), state_dict=state), buffer)
    write_whole(out, deflated(buffer))
    count = sum(value.numel() for value in {v.data_ptr(): v for v in state.values()}.values())
    print(
        f'{out}: {len(state)} tensors, {count / 1e6:.2f} M values, '
        f'{out.stat().st_size / 1e6:.1f} MB'
    )


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('sources', nargs='+', metavar='SOURCE')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--weight', type=float, default=1.0, help='of later sources (%(default)s)')
    args = parser.parse_args(argv)
    if not 0 <= args.weight <= 1:
        parser.error(f'--weight must lie in [0, 1], got {args.weight}')
    return exit_status('export_checkpoint', export, args.sources, args.weight, args.out)


if __name__ == '__main__':
    sys.exit(main())
