"""Make the small world from nothing: data, the four trainings, the evaluation.

    python tools/make_mini.py                 # everything, into work_dirs/mini
    python tools/make_mini.py --smoke         # every step for a few iterations
    python tools/make_mini.py --evaluate      # only the table, of the shipped weights

Stages that do not depend on each other run side by side, one thread each. A stage that was
finished is skipped, an interrupted one goes on from its last checkpoint.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each row runs side by side. Config: (file of weights, rule of export_checkpoint.py for it).
STAGES = (
    dict(clip=('clip_crops', 'clip.'), sam=('sam_first', '')),
    dict(clip_regions=('clip', 'backbone.=clip.'), sam_second=('sam', '')),
    dict(sam2clip=('sam2clip', '')),
    dict(clip2sam_joint=('clip2sam_joint', ''), clip2sam_base=('clip2sam_base', '')),
)
# The regions' stage trains the image tower only, and is averaged with the crops' stage, which
# knows crops better.
ALSO = dict(clip_regions=('clip_crops.pth', 0.7))
EVALUATIONS = (
    'clip_test', 'clip_test_split', 'sam_box', 'sam_point', 'sam2clip_box', 'sam2clip_point',
    *(f'{model}_{prompt}{names}' for names in ('', '_all_names') for prompt in ('box', 'point')
      for model in ('ovsam', 'ovsam_base_head', 'ovsam_base', 'image_crop', 'feature_crop')))
SMOKE = ('clip_test_split', 'sam_point', 'sam2clip_box', 'ovsam_box', 'image_crop_point')
COLUMNS = ('ov/IoU_b', 'ov/IoU_n', 'ov/IoU', 'ov/Acc_b', 'ov/Acc_n', 'ov/Acc_h', 'ov/Acc',
           'accuracy/top1')


def environment(weights: Path, data: Path) -> dict:
    """One thread a process; memory is kept between steps, not handed back to the system."""
    return dict(os.environ, OMP_NUM_THREADS='1', MALLOC_MMAP_MAX_='0',
                MALLOC_TRIM_THRESHOLD_=str(2**37), OVSAM_MINI_WEIGHTS=str(weights),
                OVSAM_PICTOGRAMS=str(data))


def run_together(commands: dict, logs: Path, env: dict) -> None:
    """Run commands side by side, each with its log; stop all when one fails."""
    logs.mkdir(parents=True, exist_ok=True)
    running = {}
    for name, command in commands.items():
        log = (logs / f'{name}.log').open('a', encoding='utf-8')
        running[name] = subprocess.Popen([sys.executable, '-W', 'ignore', *command], cwd=ROOT,
                                         env=env, stdout=log, stderr=subprocess.STDOUT)
    start = time.time()
    try:
        while any(process.poll() is None for process in running.values()):
            time.sleep(1)
            failed = [name for name, process in running.items() if process.poll()]
            if failed:
                raise SystemExit(f'{failed[0]} failed; see the end of {logs}/{failed[0]}.log')
            progress(running, logs, time.time() - start)
    finally:
        for process in running.values():
            if process.poll() is None:
                process.terminate()
    print()


def progress(running: dict, logs: Path, seconds: float) -> None:
    """One line: the last thing that each log says of its iterations."""
    parts = []
    for name in running:
        lines = (logs / f'{name}.log').read_text(encoding='utf-8', errors='replace').splitlines()
        steps = [line.split('Iter(')[1].split(']')[0] + ']' for line in lines if 'Iter(' in line]
        parts.append(f'{name} {steps[-1] if steps else "..."}')
    print(f'\r{seconds:5.0f} s  ' + '   '.join(parts), end='', flush=True)


def train(out: Path, smoke: bool, env: dict) -> None:
    """Run the stages that have not left their weights."""
    for row in STAGES:
        todo = {stage: weights for stage, weights in row.items()
                if not (out / f'{weights[0]}.pth').exists()}
        short = ['--cfg-options', 'train_cfg.max_iters=2',
                 'train_cfg.val_interval=2'] if smoke else []
        run_together({
            stage: ['tools/train.py', f'configs/mini/{stage}.py', '--work-dir',
                    str(out / stage), '--resume', *short]
            for stage in todo}, out / 'logs', env)
        for stage, (name, rule) in todo.items():
            last = (out / stage / 'last_checkpoint').read_text().strip()
            first, weight = ALSO.get(stage, (None, 1.))
            also = [f'{out}/{first}'] if first else []
            subprocess.run([sys.executable, '-W', 'ignore', 'tools/export_checkpoint.py', '--out',
                            f'{out}/{name}.pth', '--weight', str(weight), *also,
                            f'{last},{rule}'], cwd=ROOT, env=env,
                           check=True)


def evaluate(out: Path, names: list, env: dict) -> None:
    """Run the evaluations two at a time and print their table."""
    names = [name for name in names if not (out / 'metrics' / f'{name}.json').exists()]
    for pair in zip(names[::2], [*names[1::2], None]):
        run_together({
            name: ['tools/test.py', f'configs/mini/{name}.py', '--work-dir',
                   str(out / 'tests' / name), '--out', str(out / 'metrics' / f'{name}.json')]
            for name in pair if name}, out / 'logs', env)
    print(table(out / 'metrics'))


def table(folder: Path) -> str:
    """The evaluations' figures as a Markdown table."""
    rows = ['| config | ' + ' | '.join(c.split('/')[1] for c in COLUMNS) + ' |',
            '|---|' + '---|' * len(COLUMNS)]
    for name in EVALUATIONS:
        path = folder / f'{name}.json'
        if path.exists():
            metrics = json.loads(path.read_text(encoding='utf-8'))
            rows.append(f'| {name} | ' + ' | '.join(
                f'{metrics[c]:.1f}' if c in metrics else '' for c in COLUMNS) + ' |')
    return '\n'.join(rows)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/mini'), help='(%(default)s)')
    parser.add_argument('--smoke', action='store_true', help='a few iterations of every step')
    parser.add_argument('--evaluate', action='store_true',
                        help='evaluate the shipped weights instead of training')
    parser.add_argument('--configs', nargs='+', choices=EVALUATIONS, metavar='CONFIG',
                        help='evaluate these only')
    args = parser.parse_args(argv)
    weights = Path('checkpoints/mini') if args.evaluate else args.out
    data = args.out / 'data' if args.smoke else Path('data/pictograms')
    env = environment(weights, data)
    limit = ['--limit', '24'] if args.smoke else []
    subprocess.run([sys.executable, '-W', 'ignore', 'tools/make_pictograms.py', '--out', str(data),
                    *limit], cwd=ROOT, env=env, check=True)
    start = time.time()
    if not args.evaluate:
        train(args.out, args.smoke, env)
        print(f'trained in {(time.time() - start) / 60:.1f} minutes')
    evaluate(args.out, args.configs or list(SMOKE if args.smoke else EVALUATIONS), env)
    return 0


if __name__ == '__main__':
    sys.exit(main())
