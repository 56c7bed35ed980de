"""Point at things in four photographs that no model here has seen, and name them by COCO's names.

The photographs come with scikit-image and are free of rights. A row for each prompt: what is
there, and what the model says. The model is the small one for photographs: docs/photographs.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.apis import OVSAMPredictor, notice_of
from ovsam.apis.prompt_sources import segment_each
from ovsam.apis.user_prompts import parse_prompt
from ovsam.prompts import Prompts
from ovsam.serving.page.samples import photograph
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.files import write_json, write_whole
from ovsam.utils.images import png, read_image
from ovsam.utils.tables import table
from ovsam.visualization import contact_sheet, draw_segments


class Pointed(NamedTuple):
    """A prompt in a photograph, as the flag of ``ovsam predict`` has it, and what it points at."""

    photograph: str
    kind: str
    place: str
    true_name: str


POINTED = (
    Pointed('chelsea', 'box', '15,0,400,299', 'cat'),
    Pointed('coffee', 'box', '171,17,417,307', 'cup'),
    Pointed('coffee', 'box', '321,67,426,331', 'spoon'),
    Pointed('astronaut', 'box', '15,15,400,511', 'person'),
    Pointed('astronaut', 'point', '180,300', 'person'),
    Pointed('motorcycle_left', 'box', '97,70,685,450', 'motorcycle'),
    Pointed('motorcycle_left', 'point', '420,240', 'motorcycle'),
    Pointed('motorcycle_left', 'box', '40,100,282,310', 'bench'),
)


def run(args: argparse.Namespace) -> None:
    """Ask, compare, report, draw."""
    predictor = OVSAMPredictor(args.config, args.weights, vocabulary='coco')
    rows, pictures, titles, answers = [], [], [], []
    for name in dict.fromkeys(each.photograph for each in POINTED):
        path = photograph(name)
        write_whole(args.out / path.name, path.read_bytes())  # to try more with
        image = read_image(path)
        mine = [each for each in POINTED if each.photograph == name]
        start = time.perf_counter()
        predictor.set_image(image)
        encoded = time.perf_counter()
        prompts = [parse_prompt(each.kind, each.place) for each in mine]
        found = predictor.name(segment_each(predictor, prompts))
        ended = time.perf_counter()
        titles.append(f'{name}: {encoded - start:.2f} s and {(ended - encoded) / len(mine):.2f} s')
        for each, label, score in zip(mine, found.labels, found.label_scores.tolist()):
            mark = '' if label == each.true_name else '!'
            flag = f'--{each.kind} {each.place}'
            rows.append([name, flag, each.true_name, mark, label, f'{score:.2f}'])
            answers.append({**each._asdict(), 'name': label, 'score': score})
        drawn = draw_segments(
            image, found.masks, found.labels, found.label_scores, Prompts.cat(prompts)
        )
        pictures.append(drawn)
    print(table(['photograph', 'prompt', 'true name', '', 'named', 'score'], rows, texts=5))
    right = sum(each['name'] == each['true_name'] for each in answers)
    write_whole(args.out / 'photographs.png', png(contact_sheet(pictures, 2, titles, 640)))
    write_json(args.out / 'photographs.json', answers, indent=1)
    print(
        f'\nnamed right {right} of {len(answers)}, out of {len(predictor.vocabulary)} names. '
        f'Picture: {args.out}/photographs.png. Next, try: ovsam predict {args.out}/coffee.png '
        f'--everything --model {args.config}\n{notice_of(predictor.model) or ""}'
    )


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('--out', type=Path, default=Path('demo_out'), help='folder (%(default)s)')
    parser.add_argument('--config', default='photo', help='config of the model (%(default)s)')
    parser.add_argument('--weights', help="checkpoint; the config's load_from if not given")
    return exit_status('demo_photographs', run, parser.parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
