"""Store what SAM's image encoder gives for the images that an adapter is trained on.

    python tools/dump_sam_features.py configs/sam2clip/sam2clip_RN50x16_stored.py
    python tools/dump_sam_features.py CONFIG --shard 3/8       # images 3, 11, 19 ... of them
    srun -n 16 python tools/dump_sam_features.py CONFIG --launcher slurm
    torchrun --nproc_per_node 8 tools/dump_sam_features.py CONFIG --launcher pytorch    # 8 GPUs
    python tools/dump_sam_features.py CONFIG --verify          # read all, make bad ones anew
    python tools/dump_sam_features.py CONFIG --compare 200 --weights ADAPTER.pth

What is stored already is left as it is, so a run that was killed goes on when it is started again.
"""

from __future__ import annotations

import argparse
import re
import sys

from mmengine.config import Config

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.engine.distillation_config import DistillationConfig
from ovsam.engine.feature_dump import DumpReport, FeatureDump
from ovsam.engine.runner_flags import add_config_options
from ovsam.engine.stored_loss import compare_losses
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.preflight import require_inputs
from ovsam.utils.process_place import LAUNCHERS, process_place

NAMED = 20  # records that are named; of more there is the number


def shard_of(text: str) -> tuple[int, int]:
    """``'i/n'`` as two numbers."""
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    if not match or int(match[1]) >= int(match[2]):
        raise argparse.ArgumentTypeError(f'expected i/n with i from 0 to n - 1, got {text!r}')
    return int(match[1]), int(match[2])


def show(report: DumpReport, folder: str) -> None:
    """What was done, and how exact the new records are."""
    for image, reason in report.redone[:NAMED]:
        print(f'Made anew: {image}, whose record was {reason}')
    if len(report.redone) > NAMED:
        print(f'... and {len(report.redone) - NAMED:,} more')
    print(
        f'{report.made:,} records made, {len(report.redone):,} of them anew, {report.kept:,} '
        f'kept, in {folder}'
    )
    if report.made:
        print(
            f'{report.size:,} bytes an image; squared error of the stored embeddings '
            f'{report.squared_error:.3g}, under 1% of any distillation loss above '
            f'{100 * report.squared_error:.3g}'
        )


def run(args: argparse.Namespace) -> None:
    """Store or verify, then compare."""
    if (args.compare is None) != (args.weights is None):
        raise ValueError('--compare and --weights, the checkpoint of the adapter, go together')
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    parts = DistillationConfig(cfg, args.out)
    require_inputs(parts.inputs(), 'train')
    place = process_place(args.launcher)
    dump = FeatureDump(
        cfg,
        args.out,
        args.shard,
        (place.rank, place.world),
        args.device or place.device(),
        args.batch_size,
        args.workers,
    )
    show(dump.verify() if args.verify else dump.run(), dump.store.folder)
    if args.compare is not None and place.rank == 0:
        print(compare_losses(dump, cfg, args.weights, args.compare))


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('config', help='config that trains an adapter on a teacher')
    parser.add_argument(
        '--out', metavar='FOLDER', help='the store; the one that the config reads from if not given'
    )
    parser.add_argument(
        '--verify',
        action='store_true',
        help='read every record, compare it with its image, and make bad ones anew',
    )
    parser.add_argument(
        '--shard',
        type=shard_of,
        default=(0, 1),
        metavar='I/N',
        help='one part of N of the images, I from 0 (0/1: all)',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', *LAUNCHERS],
        default='none',
        help='how several processes were started, each of which then takes its part (%(default)s)',
    )
    parser.add_argument(
        '--compare',
        type=int,
        metavar='N',
        help='then measure the distillation '
        'loss with live and with stored features, on the first N images',
    )
    parser.add_argument('--weights', metavar='FILE', help='checkpoint of a trained adapter')
    parser.add_argument('--batch-size', type=int, help="images at a time (the config's)")
    parser.add_argument('--workers', type=int, help="processes that read images (the config's)")
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')
    add_config_options(parser)
    args = parser.parse_args(argv)
    if any(count is not None and count < 1 for count in (args.compare, args.batch_size)):
        parser.error('--compare and --batch-size must be positive')
    return exit_status('dump_sam_features', run, args)


if __name__ == '__main__':
    sys.exit(main())
