"""Make the small world from nothing: data, the four trainings, the evaluation.

    python tools/make_mini.py                 # everything, into work_dirs/mini
    python tools/make_mini.py --more          # then: detectors, corrections, contexts, whole images
    python tools/make_mini.py --smoke         # every step for a few iterations
    python tools/make_mini.py --evaluate      # only the table, of the shipped weights

Stages that do not depend on each other run side by side. A stage that was finished is skipped, an
interrupted one goes on from its last checkpoint.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from mmengine.config import Config

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.benchmarks.methods import fingerprint_of
from ovsam.benchmarks.small_world import insert_tables, table, with_weights
from ovsam.utils.command_line import parser_of
from ovsam.utils.files import write_whole

ROOT = Path(__file__).resolve().parent.parent
# Phases follow each other; a phase's chains run side by side, the stages of a chain one by one.
PHASES = (
    (('clip_crops', 'clip'), ('sam_half', 'sam')),
    (('sam2clip', 'sam2clip_masks'),),
    (('clip2sam_joint',), ('clip2sam_base',)),
)
# What stands on these: detectors, corrections, yardsticks that learn, names of whole images only.
MORE_PHASES = (
    (('detector_agnostic', 'detector_base'), ('interactive',)),
    (('image_crop_coop',), ('feature_crop_coop',)),
    (('clip2sam_image_level',), ('clip2sam_no_image_level',)),
)
# Stage: its config, if of another name, and the rules of export_checkpoint.py for its weights.
# The regions' stage trains the image tower only, and is averaged with the crops' stage.
CONFIG = dict(clip_crops='clip', clip='clip_regions')
EXPORT = dict(
    clip_crops=['{stage},clip.'],
    clip=['{out}/clip_crops.pth', '{stage},backbone.=clip.', '--weight', '0.7'],
)
# What names are taught by is fitted to a stage's weights: by which evaluation, into which file.
EXAMPLES = dict(clip2sam_joint=('ovsam', 'examples'), clip2sam_base=('ovsam_base', 'examples_base'))
SEGMENTERS = ('sam', 'sam2clip', 'sam2clip_masks')
PARTS = (
    *('clip_test', 'clip_test_split'),
    *(f'{model}_{prompt}' for model in SEGMENTERS for prompt in ('box', 'point')),
)
CLICKED = ('interactive_box', 'interactive_point', 'interactive_clicks')
EVERYTHING = ('everything', 'everything_all_names')
DETECTED = ('detected_agnostic', 'detected_base', 'detected_base_fused')
IMAGE_LEVEL = ('ovsam_image_level_box', 'ovsam_no_image_level_box')
BASE = ('taught_base_box', 'taught_base_text_box')
NAMERS = ('ovsam', 'ovsam_base_head', 'ovsam_base', 'image_crop', 'feature_crop')
YARDSTICKS = tuple(
    f'{model}_{prompt}'
    for prompt in ('box', 'point')
    for model in ('feature_crop_mask', 'image_crop_coop', 'feature_crop_coop')
)
EVALUATIONS = (
    *PARTS,
    *DETECTED,
    *CLICKED,
    'interactive_box_all_names',
    *EVERYTHING,
    *YARDSTICKS,
    *IMAGE_LEVEL,
    *BASE,
    *(f'ovsam_{kind}_box' for kind in ('base_second_look', 'base_mirrored', 'wide')),
    *(f'ovsam_base_{kind}_point' for kind in ('second_look', 'mirrored', 'guesses')),
    *(
        f'{model}_{prompt}{names}'
        for names in ('', '_all_names')
        for prompt in ('box', 'point')
        for model in NAMERS
    ),
)
# What a training is judged by; --evaluate does all.
DECIDING = (*PARTS, *(f'{model}_box' for model in NAMERS), 'ovsam_point')
DECIDING_MORE = (
    *DETECTED,
    *CLICKED,
    *EVERYTHING,
    *IMAGE_LEVEL,
    *(name for name in YARDSTICKS if name.endswith('box')),
)
SMOKE = ('clip_test_split', 'sam_point', 'sam2clip_box', 'ovsam_box', 'image_crop_point')
SMOKE_MORE = (
    'detected_agnostic',
    'interactive_clicks',
    'everything',
    'image_crop_coop_box',
    'ovsam_image_level_box',
)


def environment(weights: Path, data: Path) -> dict:
    """What children run in; memory is kept between steps, not handed back to the system."""
    return dict(
        os.environ,
        MALLOC_MMAP_MAX_='0',
        MALLOC_TRIM_THRESHOLD_=str(2**37),
        OVSAM_MINI_WEIGHTS=str(weights),
        OVSAM_PICTOGRAMS=str(data),
    )


def run_together(chains: dict, logs: Path, env: dict) -> None:
    """Run chains of commands side by side, each chain with its log; stop all when one fails.

    A chain has a name and a list of commands, lists of arguments for Python. Cores are shared out
    evenly.
    """
    logs.mkdir(parents=True, exist_ok=True)
    env = dict(env, OMP_NUM_THREADS=str(max(1, (os.cpu_count() or 1) // max(1, len(chains)))))
    waiting = {name: list(commands) for name, commands in chains.items()}
    running = {}
    start = time.time()
    try:
        while running or any(waiting.values()):
            for name, commands in waiting.items():
                if name not in running and commands:
                    with (logs / f'{name}.log').open('a', encoding='utf-8') as log:
                        running[name] = subprocess.Popen(
                            [sys.executable, '-W', 'ignore', *commands.pop(0)],
                            cwd=ROOT,
                            env=env,
                            stdout=log,
                            stderr=subprocess.STDOUT,
                        )
            time.sleep(1)
            print_progress(running, logs, time.time() - start)
            failed = [name for name, process in running.items() if process.poll()]
            if failed:
                raise SystemExit(f'\n{failed[0]} failed; see the end of {logs}/{failed[0]}.log')
            running = {name: process for name, process in running.items() if process.poll() is None}
    finally:
        for process in running.values():
            process.terminate()
    print()


def print_progress(running: dict, logs: Path, seconds: float) -> None:
    """One line: the last thing that each log says of its iterations."""
    parts = []
    for name in running:
        lines = (logs / f'{name}.log').read_text(encoding='utf-8', errors='replace').splitlines()
        steps = [line.split('Iter(')[1].split(']')[0] + ']' for line in lines if 'Iter(' in line]
        parts.append(f'{name} {steps[-1] if steps else "..."}')
    print(f'\r{seconds:5.0f} s  ' + '   '.join(parts), end='', flush=True)


def train(phases: tuple, out: Path, smoke: bool, env: dict) -> None:
    """Run the stages that have not left all of their files."""
    # No validation during so short a training: the evaluations follow.
    short = ['--cfg-options', 'train_cfg.max_iters=2', 'train_cfg.val_begin=3'] if smoke else []
    for phase in phases:
        chains = {}
        for chain in phase:
            todo = [
                stage
                for stage in chain
                for files in [(stage, *EXAMPLES.get(stage, ())[1:])]
                if not all((out / f'{file}.pth').exists() for file in files)
            ]
            chains['-'.join(chain)] = [
                command for stage in todo for command in stage_commands(stage, out, short)
            ]
        run_together(chains, out / 'logs', env)


def stage_commands(stage: str, out: Path, options: list) -> tuple:
    """Arguments for Python: the stage's training, and the export of its weights."""
    work_dir = out / 'training' / stage
    rules = [rule.format(stage=work_dir, out=out) for rule in EXPORT.get(stage, ['{stage}'])]
    config = f'configs/mini/{CONFIG.get(stage, stage)}.py'
    commands = [
        ['tools/train.py', config, '--work-dir', str(work_dir), '--resume', *options],
        ['tools/export_checkpoint.py', '--out', f'{out}/{stage}.pth', *rules],
    ]
    if stage in EXAMPLES:
        evaluation, name = EXAMPLES[stage]
        fit = ['tools/fit_examples.py', f'configs/mini/{evaluation}_box.py', '--limit', '500']
        fitted = str(work_dir / f'{name}.pth')
        commands += [
            [*fit, '--train', 'annotations/train.json', 'train/', '--out', fitted],
            ['tools/export_checkpoint.py', '--out', f'{out}/{name}.pth', fitted],
        ]
    return tuple(commands)


def evaluate(out: Path, names: list, env: dict) -> None:
    """Run the evaluations two at a time and print their table.

    One that was run before is not run again, unless its config, weights or annotations changed.
    """
    folder = out / 'metrics'
    marks = {
        name: fingerprint_of(Config.fromfile(ROOT / 'configs' / 'mini' / f'{name}.py'))
        for name in names
    }
    todo = [name for name in names if not is_current(folder, name, marks[name])]
    for pair in zip(todo[::2], [*todo[1::2], None]):
        run_together(
            {
                name: [
                    [
                        'tools/test.py',
                        f'configs/mini/{name}.py',
                        '--work-dir',
                        str(out / 'tests' / name),
                        '--out',
                        str(folder / f'{name}.json'),
                    ]
                ]
                for name in pair
                if name
            },
            out / 'logs',
            env,
        )
        for name in filter(None, pair):
            write_whole(folder / f'{name}.fingerprint', marks[name].encode())
    print(table(folder, EVALUATIONS))


def is_current(folder: Path, name: str, mark: str) -> bool:
    """Whether there are figures of an evaluation, and of what is there now."""
    noted = folder / f'{name}.fingerprint'
    return (
        (folder / f'{name}.json').exists()
        and noted.exists()
        and (noted.read_text(encoding='utf-8') == mark)
    )


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument(
        '--out', type=Path, help='(work_dirs/mini; with --smoke work_dirs/mini-smoke)'
    )
    more = (
        'instead of the four trainings, what stands on them: detectors, corrections, contexts ...'
    )
    parser.add_argument('--more', action='store_true', help=more)
    parser.add_argument('--smoke', action='store_true', help='a few iterations of every step')
    parser.add_argument(
        '--evaluate', action='store_true', help='evaluate the shipped weights instead of training'
    )
    parser.add_argument(
        '--insert', action='store_true', help='put the tables into README.md and docs as well'
    )
    args = parser.parse_args(argv)
    # Weights of a few iterations must not be taken for those of a training.
    args.out = (args.out or Path(f'work_dirs/mini{"-smoke" * args.smoke}')).resolve()
    weights = Path('checkpoints/mini') if args.evaluate else args.out
    data = args.out / 'data' if args.smoke else Path('data/pictograms')
    env = environment(weights, data)
    os.environ.update(env)  # configs read from it where weights are
    limit = ['--limit', '24'] if args.smoke else []
    splits = ['train', 'val', 'test', *(['image_level'] if args.more else [])]
    command = ['tools/make_pictograms.py', '--out', str(data), '--splits', *splits, *limit]
    drawn = subprocess.run(
        [sys.executable, '-W', 'ignore', *command], cwd=ROOT, env=env, check=False
    )
    if drawn.returncode:
        return drawn.returncode  # it has said what is wrong
    start = time.time()
    if not args.evaluate:
        train(MORE_PHASES if args.more else PHASES, args.out, args.smoke, env)
        print(f'trained in {(time.time() - start) / 60:.1f} minutes')
    deciding = ((DECIDING, SMOKE), (DECIDING_MORE, SMOKE_MORE))[args.more][args.smoke]
    chosen = with_weights(EVALUATIONS, ROOT) if args.evaluate else deciding
    evaluate(args.out, list(chosen), env)
    if args.insert:
        insert_tables(args.out / 'metrics', ROOT, (*DETECTED, *CLICKED, *EVERYTHING))
    return 0


if __name__ == '__main__':
    sys.exit(main())
