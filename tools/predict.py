"""Segment and name what you point at in a picture.

    python tools/predict.py demo_out/scene_0.png --point 120,80
    python tools/predict.py photo.jpg --box 40,30,200,180 --vocabulary cat,dog,"traffic light"
    python tools/predict.py photo.jpg --point "120,80;150,95;20,30,0" --point 300,40

Each --point or --box is one prompt, in pixels of the picture, x before y. Several points of one
--point, with ';' between them, are clicks on one object; a point with ,0 behind it is not on the
object. There is a line for each prompt, and OUT/NAME.png (drawn) and OUT/NAME.json (COCO
annotations).
"""

import argparse
import sys
from pathlib import Path

import cv2

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.apis import OVSAMPredictor, Prediction, make_prompts
from ovsam.prompts import Prompts
from ovsam.utils.command_line import exit_status
from ovsam.utils.files import write_whole
from ovsam.utils.images import read_image
from ovsam.visualization import draw_segments


def parse_prompt(flag: str, text: str) -> Prompts:
    """One prompt from the text after its flag.

    Raises:
        ValueError: the text is not of the flag's form, or is not a prompt.
    """
    try:
        rows = [[float(number) for number in part.split(',')]
                for part in text.replace(';', ' ').split()]
    except ValueError:
        rows = []
    if flag == 'box' and len(rows) == 1 and len(rows[0]) == 4:
        return make_prompts(boxes=rows[0])
    if flag == 'point' and rows and all(len(row) in (2, 3) for row in rows):
        return make_prompts([row[:2] for row in rows], [[*row, 1][2] for row in rows])
    form = 'x1,y1,x2,y2' if flag == 'box' else 'x,y or x,y,label, several with ; between them'
    raise ValueError(f'--{flag} must be {form}; got {text!r}')


def report(found: Prediction) -> None:
    """A line for each prompt."""
    for row in range(len(found)):
        parts = [f'{row}:']
        if found.labels is not None:
            others = zip(found.top_names[row][1:], found.top_scores[row][1:])
            parts += [f'{found.labels[row]} {found.label_scores[row]:.2f}',
                      f'({", ".join(f"{name} {score:.2f}" for name, score in others)})']
        if found.quality is not None:
            parts.append(f'expected IoU {found.quality[row]:.2f},')
        print(*parts, f'{found.masks[row].sum()} pixels')


def run(args: argparse.Namespace) -> None:
    """Predict, report, write."""
    if not args.prompts:
        raise ValueError('nothing to look for: give at least one --point or --box')
    prompts = [parse_prompt(flag, text) for flag, text in args.prompts]
    image = read_image(args.image)
    picture, annotations = (args.out / f'{args.image.stem}{end}' for end in ('.png', '.json'))
    if args.image.resolve() in (picture.resolve(), annotations.resolve()):
        raise ValueError(f'the result would overwrite {args.image}: choose another --out')
    Prompts.cat(prompts).check_inside([image.shape[:2]])
    predictor = OVSAMPredictor(args.config, args.weights, args.vocabulary, args.device)
    predictor.set_image(image)
    found = Prediction.cat([predictor.predict_prompts(each, args.top_k) for each in prompts])
    report(found)
    drawn = draw_segments(image, found.masks, found.labels, found.label_scores,
                          Prompts.cat(prompts))
    write_whole(picture, cv2.imencode('.png', drawn[..., ::-1])[1].tobytes())
    found.save_json(annotations)
    print(f'Wrote {picture} and {annotations}')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('image', type=Path)
    for flag, form in (('point', 'x,y[,label][;...]'), ('box', 'x1,y1,x2,y2')):
        parser.add_argument(f'--{flag}', dest='prompts', action='append', metavar=form,
                            type=lambda text, flag=flag: (flag, text))
    parser.add_argument('--vocabulary', help='names with commas between, a pack such as '
                        'lvis, or a .txt or .json file')
    parser.add_argument('--config', default='mini', help='config of the model (%(default)s)')
    parser.add_argument('--weights', help="checkpoint; the config's load_from if not given")
    parser.add_argument('--top-k', type=int, default=5, help='names to report (%(default)s)')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/predict'),
                        help='folder to write to (%(default)s)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')
    return exit_status('predict', run, parser.parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
