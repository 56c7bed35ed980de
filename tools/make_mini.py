"""Make the small world from nothing: data, the four trainings, the evaluation.

    python tools/make_mini.py                 # everything, into work_dirs/mini
    python tools/make_mini.py --more          # then: detectors, corrections, learned contexts
    python tools/make_mini.py --smoke         # every step for a few iterations
    python tools/make_mini.py --evaluate      # only the table, of the shipped weights

Stages that do not depend on each other run side by side. A stage that was finished is skipped, an
interrupted one goes on from its last checkpoint.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from mmengine.config import Config

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.benchmarks import metrics_section
from ovsam.benchmarks.methods import fingerprint
from ovsam.utils.files import write_whole
from ovsam.utils.marked_section import insert_section
from ovsam.utils.preflight import run_inputs

ROOT = Path(__file__).resolve().parent.parent
# Phases follow each other; a phase's chains run side by side, the stages of a chain one by one.
PHASES = (
    (('clip_crops', 'clip'), ('sam_half', 'sam')),
    (('sam2clip',),),
    (('clip2sam_joint',), ('clip2sam_base',)),
)
# What stands on these: detectors, decoders that take corrections, yardsticks that learn, and
# CLIP2SAM with and without names that only whole images have.
MORE_PHASES = (
    (('detector_agnostic', 'detector_base'), ('interactive',)),
    (('image_crop_coop',), ('feature_crop_coop',)),
    (('clip2sam_image_level',), ('clip2sam_no_image_level',)),
)
# Stage: its config, if of another name, and the rules of export_checkpoint.py for its weights.
# The regions' stage trains the image tower only, and is averaged with the crops' stage, which
# knows crops better.
CONFIG = dict(clip_crops='clip', clip='clip_regions')
EXPORT = dict(
    clip_crops=['{stage},clip.'],
    clip=['{out}/clip_crops.pth', '{stage},backbone.=clip.', '--weight', '0.7'],
)
PARTS = ('clip_test', 'clip_test_split', 'sam_box', 'sam_point', 'sam2clip_box', 'sam2clip_point')
CLICKED = ('interactive_box', 'interactive_point', 'interactive_clicks')
EVERYTHING = ('everything', 'everything_all_names')
DETECTED = ('detected_agnostic', 'detected_base', 'detected_base_fused')
IMAGE_LEVEL = ('ovsam_image_level_box', 'ovsam_no_image_level_box')
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
COLUMNS = (
    'ov/IoU_b',
    'ov/IoU_n',
    'ov/IoU',
    'ov/Acc_b',
    'ov/Acc_n',
    'ov/Acc_h',
    'ov/Acc',
    'accuracy/top1',
    'found/AP',
    'found/AP_oracle',
    'found/share',
    'clicks/IoU@1',
    'clicks/IoU@3',
    'clicks/IoU@5',
    'clicks/NoC@85',
    'clicks/NoC@90',
    'everything/recall',
    'everything/named_b',
    'everything/named_n',
    'everything/masks',
)

# Rows and columns of the table in README.md and docs/results.md.
SHOWN = (
    ('miniature SAM, boxes', 'sam_box'),
    ('miniature SAM, centre points', 'sam_point'),
    ("SAM2CLIP adapter + SAM's decoder, boxes", 'sam2clip_box'),
    ("SAM2CLIP adapter + SAM's decoder, centre points", 'sam2clip_point'),
    ('**OVSAM**, boxes (every name but the novel ones)', 'ovsam_box'),
    ('**OVSAM**, centre points', 'ovsam_point'),
    ("paper's protocol, head alone, boxes", 'ovsam_base_head_box'),
    ("paper's protocol, fused with CLIP, boxes", 'ovsam_base_box'),
    ('baseline: SAM mask, crop, CLIP, boxes', 'image_crop_box'),
    ('baseline: SAM mask, CLIP feature, boxes', 'feature_crop_box'),
)
# Those of what names without any box gain.
SHOWN_IMAGE_LEVEL = (
    ('scenes and whole images', 'ovsam_image_level_box'),
    ('the same scenes alone', 'ovsam_no_image_level_box'),
)
IMAGE_LEVEL_COLUMNS = {
    'accuracy, names with masks': 'ov/Acc_b',
    'names of whole images only': 'ov/Acc_n',
    'among the best 5, with masks': 'ov/Top5_b',
    'of whole images only': 'ov/Top5_n',
    'IoU, with masks': 'ov/IoU_b',
    'of whole images only ': 'ov/IoU_n',
}
SHOWN_COLUMNS = {
    'IoU base': 'ov/IoU_b',
    'novel': 'ov/IoU_n',
    'accuracy base': 'ov/Acc_b',
    'novel ': 'ov/Acc_n',
    'harmonic': 'ov/Acc_h',
}


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

    Cores are shared out evenly.

    Args:
        chains: Lists of commands, each a list of arguments for Python, by the chain's name.
        logs: Folder of the logs.
        env: Environment of the commands.
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
    """Run the stages that have not left their weights."""
    # No validation during so short a training: the evaluations follow.
    short = ['--cfg-options', 'train_cfg.max_iters=2', 'train_cfg.val_begin=3'] if smoke else []
    for phase in phases:
        chains = {}
        for chain in phase:
            todo = [stage for stage in chain if not (out / f'{stage}.pth').exists()]
            chains['-'.join(chain)] = [
                command for stage in todo for command in stage_commands(stage, out, short)
            ]
        run_together(chains, out / 'logs', env)


def stage_commands(stage: str, out: Path, options: list) -> tuple:
    """Arguments for Python: the stage's training, and the export of its weights."""
    work_dir = out / 'training' / stage
    rules = [rule.format(stage=work_dir, out=out) for rule in EXPORT.get(stage, ['{stage}'])]
    return (
        [
            'tools/train.py',
            f'configs/mini/{CONFIG.get(stage, stage)}.py',
            '--work-dir',
            str(work_dir),
            '--resume',
            *options,
        ],
        ['tools/export_checkpoint.py', '--out', f'{out}/{stage}.pth', *rules],
    )


def evaluate(out: Path, names: list, env: dict) -> None:
    """Run the evaluations two at a time and print their table.

    One that was run before is not run again, unless its config, weights or annotations changed.
    """
    folder = out / 'metrics'
    os.environ.update(env)  # configs read from it where weights are
    marks = {
        name: fingerprint(Config.fromfile(ROOT / 'configs' / 'mini' / f'{name}.py'))
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
    print(table(folder))


def is_current(folder: Path, name: str, mark: str) -> bool:
    """Whether there are figures of an evaluation, and of what is there now."""
    noted = folder / f'{name}.fingerprint'
    return (
        (folder / f'{name}.json').exists()
        and noted.exists()
        and (noted.read_text(encoding='utf-8') == mark)
    )


def with_weights(names: list, env: dict) -> list:
    """Those evaluations whose weights are there; says which are not."""
    os.environ.update(env)  # configs read from it where weights are
    found = []
    for name in names:
        cfg = Config.fromfile(ROOT / 'configs' / 'mini' / f'{name}.py')
        missing = sorted(
            {
                path
                for _, path in run_inputs(cfg, 'test')
                if path.endswith('.pth') and not (ROOT / path).exists()
            }
        )
        if missing:
            print(f'{name}: left out, {", ".join(missing)} is not there (make mini-more)')
        else:
            found.append(name)
    return found


def table(folder: Path) -> str:
    """The evaluations' figures as a Markdown table."""
    rows = [
        '| config | ' + ' | '.join(c.split('/')[1] for c in COLUMNS) + ' |',
        '|---|' + '---|' * len(COLUMNS),
    ]
    for name in EVALUATIONS:
        path = folder / f'{name}.json'
        if path.exists():
            metrics = json.loads(path.read_text(encoding='utf-8'))
            rows.append(
                f'| {name} | '
                + ' | '.join('' if metrics.get(c) is None else f'{metrics[c]:.1f}' for c in COLUMNS)
                + ' |'
            )
    return '\n'.join(rows)


def shown_table(folder: Path, shown: tuple, columns: dict) -> str:
    """Some evaluations' figures as a Markdown table for readers.

    Args:
        folder: Of the figures.
        shown: A title and a config's name for each row.
        columns: Figures by the title of their column.
    """
    rows = ['| | config | ' + ' | '.join(columns) + ' |', '|---' * (len(columns) + 2) + '|']
    for title, name in shown:
        metrics = json.loads((folder / f'{name}.json').read_text(encoding='utf-8'))
        cells = (
            '' if metrics.get(key) is None else f'{metrics[key]:.1f}' for key in columns.values()
        )
        rows.append(f'| {title} | `{name}.py` | ' + ' | '.join(cells) + ' |')
    return '\n'.join(rows) + '\n'


def insert_tables(folder: Path) -> None:
    """Put the figures between the marks of README.md and of docs/results.md."""
    rows = shown_table(folder, SHOWN, SHOWN_COLUMNS)
    results = ROOT / 'docs/results.md'
    for page in (ROOT / 'README.md', results):
        insert_section(page, rows, 'figures')
    if all((folder / f'{name}.json').exists() for name in IMAGE_LEVEL):
        insert_section(
            results,
            shown_table(folder, SHOWN_IMAGE_LEVEL, IMAGE_LEVEL_COLUMNS),
            'image-level',
        )
    more = [folder / f'{name}.json' for name in (*DETECTED, *CLICKED, *EVERYTHING)]
    insert_section(results, metrics_section(path for path in more if path.exists()), 'more')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=Path, default=Path('work_dirs/mini'), help='(%(default)s)')
    parser.add_argument(
        '--more',
        action='store_true',
        help='instead of the four trainings, what stands on them: detectors, a '
        'decoder that takes corrections, learned contexts, joint training',
    )
    parser.add_argument('--smoke', action='store_true', help='a few iterations of every step')
    parser.add_argument(
        '--evaluate', action='store_true', help='evaluate the shipped weights instead of training'
    )
    parser.add_argument(
        '--insert', action='store_true', help='put the tables into README.md and docs as well'
    )
    parser.add_argument(
        '--configs', nargs='+', choices=EVALUATIONS, metavar='CONFIG', help='evaluate these only'
    )
    args = parser.parse_args(argv)
    args.out = args.out.resolve()
    weights = Path('checkpoints/mini') if args.evaluate else args.out
    data = args.out / 'data' if args.smoke else Path('data/pictograms')
    env = environment(weights, data)
    limit = ['--limit', '24'] if args.smoke else []
    splits = ['train', 'val', 'test', *(['image_level'] if args.more else [])]
    drawn = subprocess.run(
        [
            sys.executable,
            '-W',
            'ignore',
            'tools/make_pictograms.py',
            '--out',
            str(data),
            '--splits',
            *splits,
            *limit,
        ],
        cwd=ROOT,
        env=env,
        check=False,
    )
    if drawn.returncode:
        return drawn.returncode  # it has said what is wrong
    start = time.time()
    if not args.evaluate:
        train(MORE_PHASES if args.more else PHASES, args.out, args.smoke, env)
        print(f'trained in {(time.time() - start) / 60:.1f} minutes')
    chosen = (
        with_weights(EVALUATIONS, env)
        if args.evaluate
        else (SMOKE_MORE if args.smoke else DECIDING_MORE)
        if args.more
        else SMOKE
        if args.smoke
        else DECIDING
    )
    evaluate(args.out, args.configs or list(chosen), env)
    if args.insert:
        insert_tables(args.out / 'metrics')
    return 0


if __name__ == '__main__':
    sys.exit(main())
