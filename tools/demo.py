"""Segment and name pictograms in scenes that no model has seen, and check the answers.

Each scene holds pictograms of COCO's base classes, of its novel classes (*), and others. Novel ones
were left out when OVSAM's mask decoder and naming head were trained; only frozen CLIP knows them.
A user's prompts are imitated by clicks in the middle of objects (even scenes) or by boxes (odd).
"""

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.apis import OVSAMPredictor, Prediction, make_prompts
from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.renderer import Scene, render_scene
from ovsam.datasets.pictograms.vocabulary import pictogram_group
from ovsam.masks.mask_iou import mask_iou
from ovsam.prompts import CenterPointPrompter, Prompts
from ovsam.serving.page.samples import SEED
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.files import write_json, write_whole
from ovsam.utils.images import png
from ovsam.visualization import contact_sheet, draw_segments
from ovsam_onnx.masks import tight_boxes

PER_KIND = 2


class Answer(NamedTuple):
    """One object: how it was pointed at, what it is, and what the model says."""

    scene: int
    prompt: str
    true_name: str
    novel: bool
    name: str
    score: float
    iou: float

    @property
    def right(self) -> bool:
        """Whether the best name is the true one."""
        return self.name == self.true_name


def draw_scene(seed: int, index: int) -> Scene:
    """Scene ``index``: two base, two novel and two other pictograms."""
    rng = np.random.default_rng([SEED, seed, index])
    names, split = pictogram_names(), set(pictogram_group('split'))
    pools = [
        pictogram_group('base'),
        pictogram_group('novel'),
        [name for name in names if name not in split],
    ]
    chosen = [name for pool in pools for name in rng.choice(pool, PER_KIND, replace=False)]
    return render_scene(rng, rng.permutation([names.index(name) for name in chosen]))


def point_at(masks: np.ndarray, click: bool) -> tuple:
    """Prompts for masks (N, H, W), as a record and as the flags of ``ovsam predict``."""
    prompter = CenterPointPrompter()
    if click:
        points = [prompter.choose_point(mask.astype(np.uint8)) for mask in masks]
        record = make_prompts(np.reshape(points, (-1, 1, 2)))
        return record, [f'--point {x},{y}' for x, y in points]
    boxes = tight_boxes(masks).astype(int)
    return make_prompts(boxes=boxes), [f'--box {",".join(map(str, box))}' for box in boxes]


def judge(index: int, scene: Scene, flags: list, found: Prediction) -> list:
    """The answers for one scene."""
    names, novel = pictogram_names(), set(pictogram_group('novel'))
    truths = [names[label] for label in scene.labels]
    ious = map(mask_iou, scene.masks, found.masks)
    rows = zip(flags, truths, found.labels, found.label_scores.tolist(), ious)
    return [
        Answer(index, flag, truth, truth in novel, name, score, iou)
        for flag, truth, name, score, iou in rows
    ]


def picture(scene: Scene, found: Prediction, prompts: Prompts, answers: list) -> np.ndarray:
    """The scene with masks and names; wrong names are followed by the true one (* novel)."""
    truths = [answer.true_name + '*' * answer.novel for answer in answers]
    texts = [
        truth if answer.right else f'{answer.name} (is {truth})'
        for answer, truth in zip(answers, truths)
    ]
    return draw_segments(scene.image, found.masks, texts, prompts=prompts)


def summary(answers: list, image_seconds: float, prompt_seconds: float) -> str:
    """One line of results."""
    novel = [answer for answer in answers if answer.novel]
    return (
        f'mean IoU {np.mean([a.iou for a in answers]):.2f}; '
        f'named right {sum(a.right for a in answers)} of {len(answers)}, '
        f'novel* {sum(a.right for a in novel)} of {len(novel)}; '
        f'{image_seconds:.2f} s an image, {prompt_seconds:.3f} s a prompt'
    )


def run(args: argparse.Namespace) -> None:
    """Draw, ask, check, report, write."""
    if args.scenes < 1:
        raise ValueError(f'--scenes must be positive; got {args.scenes}')
    print(
        f'{args.config}: point at the pictograms in {args.scenes} new scenes, get masks and one '
        f"of {len(pictogram_names())} names (* novel: left out of OVSAM's training)."
    )
    predictor = OVSAMPredictor(args.config, args.weights)
    predictor.set_vocabulary(list(pictogram_names()))
    # The first use is slower: it embeds the vocabulary and warms caches up.
    predictor.set_image(draw_scene(args.seed, 0).image)
    predictor.predict([[0, 0]])
    answers, pictures, image_seconds, prompt_seconds = [], [], 0.0, 0.0
    for index in range(args.scenes):
        scene = draw_scene(args.seed, index)
        prompts, flags = point_at(scene.masks, click=index % 2 == 0)
        start = time.perf_counter()
        predictor.set_image(scene.image)
        encoded = time.perf_counter()
        found = predictor.predict_prompts(prompts)
        prompt_seconds += time.perf_counter() - encoded
        image_seconds += encoded - start
        mine = judge(index, scene, flags, found)
        answers += mine
        pictures.append(picture(scene, found, prompts, mine))
        write_whole(args.out / f'scene_{index}.png', png(scene.image))
    print(f'\n{"scene and prompt":28}{"true name":20}{"named":20}{"score":>6}{"IoU":>6}')
    for a in answers:
        mark = ' ' if a.right else '!'
        print(
            f'{a.scene}  {a.prompt:25}{a.true_name + "*" * a.novel:20}{mark}{a.name:19}'
            f'{a.score:6.2f}{a.iou:6.2f}'
        )
    line = summary(answers, image_seconds / args.scenes, prompt_seconds / len(answers))
    titles = [f'scene {i}: {"boxes" if i % 2 else "clicks"}' for i in range(args.scenes)]
    write_whole(args.out / 'demo.png', png(contact_sheet(pictures, 2, titles, 640)))
    content = {'summary': line, 'answers': [{**a._asdict(), 'right': a.right} for a in answers]}
    write_json(args.out / 'demo.json', content, indent=1)
    weights = '' if args.weights is None else f' --weights {args.weights}'
    print(
        f'\n{line}\nPicture: {args.out}/demo.png. Next, try: ovsam predict '
        f'{args.out}/scene_0.png {answers[0].prompt} --model {args.config}{weights}'
    )


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('--out', type=Path, default=Path('demo_out'), help='folder (%(default)s)')
    parser.add_argument('--scenes', type=int, default=4, help='how many (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='names the scenes (%(default)s)')
    parser.add_argument('--config', default='mini', help='config of the model (%(default)s)')
    parser.add_argument('--weights', help="checkpoint; the config's load_from if not given")
    return exit_status('demo', run, parser.parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
