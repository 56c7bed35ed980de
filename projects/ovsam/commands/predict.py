"""Segment and name what you point at in a picture, or all there is in pictures.

    ovsam predict demo_out/coffee.png --point 290,150
    ovsam predict photo.jpg --box 40,30,200,180 --model ovsam-rn50x16-coco
    ovsam predict photo.jpg --box 40,30,200,180 --vocabulary cat,dog,"traffic light"
    ovsam predict photo.jpg --point "120,80;150,95;20,30,0" --point 300,40
    ovsam predict photo.jpg --everything --vocabulary lvis --format labelme
    ovsam predict photos --find "a red cat" --out cats
    ovsam predict photo.jpg --point 120,80 --vocabulary imagenet21k --back-off 0.5
    ovsam predict photos --find gizmo --example gizmo=first.jpg@120,80
    ovsam predict photos --detector detector.py --detector-weights detector.pth

Each --point or --box is one prompt, in pixels of the picture, x before y. Several points of one
--point, with ';' between them, are clicks on one object; a point with ,0 behind it is not on the
object. It prints a line for each mask, and writes OUT/NAME.png (drawn) and OUT/NAME.json (COCO).

A folder of pictures takes --everything, --find, --prompts or --detector, and what is written is
OUT/vis, OUT/preds and OUT/coco.json. Broken pictures are left out, which gives status 1, and a
second run goes on where the first one ended.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ovsam_onnx.one_image import in_unit

from ..apis import BackOff, OVSAMInferencer, OVSAMPredictor, Prediction
from ..apis.exports import EXPORTS, ImageEntry, make_exports
from ..apis.flags import (
    add_detector_flags,
    add_model_flags,
    add_prompt_flags,
    check_detector_flags,
    detector_of,
)
from ..apis.inference_steps import split_texts
from ..apis.init_model import PRECISIONS, say_notice
from ..apis.prompt_sources import PromptFiles, PromptSource, segment_each
from ..apis.user_prompts import parse_prompt, teach_examples
from ..prompts import Prompts
from ..utils.command_line import exit_status, output_folder, parser_of
from ..utils.file_names import fitting_name, merged_parts, printable
from ..utils.files import write_whole
from ..utils.images import png, read_image
from ..visualization import draw_segments
from ..vocabulary import WordNetHierarchy


def check(args: argparse.Namespace) -> None:
    """Reject flags that do not go together."""
    ways = [
        f'--{name}' for name in ('everything', 'find', 'prompts', 'detector') if getattr(args, name)
    ]
    pointed = list(dict.fromkeys(f'--{flag}' for flag, _ in args.pointed))
    if args.image.is_dir() and pointed:
        raise ValueError(
            f'{" and ".join(pointed)} are of one picture; for a folder give '
            '--everything, --find, --prompts or --detector'
        )
    check_detector_flags(args)
    if args.back_off is not None and not 0 < args.back_off <= 1:
        raise ValueError(f'--back-off must be in (0, 1]; got {args.back_off}')
    if args.back_off is not None and args.find:
        raise ValueError(
            '--back-off is for names of the vocabulary, and --find asks for its own '
            'text: leave one of them out'
        )
    if args.wordnet and args.back_off is None:
        raise ValueError('--wordnet is for more general names: ask for them by --back-off')
    if not ways and not pointed:
        raise ValueError(
            'nothing to look for: give at least one --point or --box, or '
            '--everything, --find, --prompts or --detector'
        )
    if len(ways) + bool(pointed) > 1 and not {*ways, *pointed} <= {'--everything', '--find'}:
        raise ValueError(
            f'{", ".join([*ways, *pointed])} do not go together: choose one way to '
            'say where to look'
        )
    in_unit('--threshold', args.threshold)


def report(found: Prediction) -> None:
    """A line for each prompt."""
    for row in range(len(found)):
        parts = [f'{row}:']
        if found.labels is not None:
            assert found.top_names is not None and found.top_scores is not None
            assert found.label_scores is not None  # all four or none
            others = zip(found.top_names[row], found.top_scores[row])
            listed = ', '.join(
                f'{name} {score:.2f}' for name, score in others if name != found.labels[row]
            )
            parts += [f'{found.labels[row]} {found.label_scores[row]:.2f}', f'({listed})']
            leaves = found.leaves and found.leaves[row]
            if leaves and leaves[0][0] != found.labels[row]:
                parts.append(
                    'a kind of: ' + ', '.join(f'{name} {score:.2f}' for name, score in leaves) + ','
                )
        if found.quality is not None:
            parts.append(f'expected IoU {found.quality[row]:.2f},')
        print(*parts, f'{found.masks[row].sum()} pixels')
    if not len(found):
        print('Nothing found')


def back_off_of(args: argparse.Namespace) -> BackOff | None:
    """What --back-off and --wordnet ask for, if it is given; WordNet is read at once."""
    return args.back_off and BackOff(args.back_off, WordNetHierarchy.from_data_noun(args.wordnet))


def predict(
    args: argparse.Namespace,
    predictor: OVSAMPredictor,
    prompts: list[Prompts],
    detector: PromptSource | None,
    image: np.ndarray,
) -> Prediction:
    """What the flags ask for, of the image that has been set."""
    if detector:
        return predictor.name(detector.segment(predictor, image, args.image), args.top_k)
    if args.find:
        return predictor.find(split_texts(args.find), args.threshold, args.top_k)
    if args.everything:
        return predictor.everything(args.top_k)
    return predictor.name(segment_each(predictor, prompts), args.top_k)


def run_picture(args: argparse.Namespace) -> None:
    """Predict, report, write."""
    prompts = [parse_prompt(flag, text) for flag, text in args.pointed]
    given = [args.image, *map(Path, merged_parts(args.vocabulary or ''))]
    if args.prompts:
        files = PromptFiles(args.prompts)
        prompts = files.read(args.image)
        given.append(files.file_of(args.image))
    image = read_image(args.image)
    stem = fitting_name(args.image.stem)
    picture, annotations = (args.out / f'{stem}{end}' for end in ('.png', '.json'))
    for file in given:
        if file.resolve() in (picture.resolve(), annotations.resolve()):
            raise ValueError(f'the result would overwrite {file}: choose another --out')
    if 'coco' in (args.format or ()) and annotations.name.lower() == 'coco.json':
        raise ValueError(
            f'{annotations} would be the masks of {args.image.name} and the COCO file '
            'at once: rename the picture, or leave --format coco out'
        )
    Prompts.cat(prompts).given().check_inside(image.shape[:2])
    detector = detector_of(args, args.device)
    predictor = OVSAMPredictor(
        args.model,
        args.weights,
        args.vocabulary,
        args.device,
        back_off=back_off_of(args),
        precision=args.precision,
    )
    teach_examples(predictor, args.example)
    predictor.set_image(image)
    found = predict(args, predictor, prompts, detector, image)
    report(found)
    drawn = draw_segments(
        image, found.masks, found.labels, found.label_scores, Prompts.cat(prompts)
    )
    write_whole(picture, png(drawn))
    found.save_json(annotations)
    entry = ImageEntry(stem, args.image.name, args.image, image.shape[:2])
    for export in make_exports(args.format or (), args.out, predictor.label_names):
        export.add(entry, found)
        export.close()
    print(f'Wrote {printable(str(picture))} and {printable(str(annotations))}')
    say_notice(predictor.model)


def run_folder(args: argparse.Namespace) -> int:
    """Predict all pictures of a folder; returns how many were left out."""
    prompts = detector_of(args, args.device) or args.prompts
    inferencer = OVSAMInferencer(
        args.model,
        args.weights,
        args.device,
        args.vocabulary,
        prompts,
        precision=args.precision,
    )
    inferencer.predictor.back_off = back_off_of(args)
    teach_examples(inferencer.predictor, args.example)
    results = inferencer(
        args.image,
        out_dir=args.out,
        texts=args.find,
        top_k=args.top_k,
        pred_score_thr=args.threshold,
        formats=args.format or ('coco',),
    )
    print(
        f'Wrote {args.out}/preds and {args.out}/vis of '
        f'{len(results["predictions"]) - len(results["failed"])} pictures'
    )
    say_notice(inferencer.predictor.model)
    return len(results['failed'])


def run(args: argparse.Namespace) -> int:
    """Predict; returns how many pictures of a folder were left out."""
    check(args)
    if args.image.is_dir():
        return run_folder(args)
    run_picture(args)
    return 0


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam predict')
    parser.add_argument('image', type=Path, help='a picture or a folder of pictures')
    add_prompt_flags(parser)
    parser.add_argument('--everything', action='store_true', help='segment all there is')
    parser.add_argument(
        '--find',
        metavar='TEXT',
        help='what is called so, of all there is; several texts with " . " between',
    )
    parser.add_argument(
        '--prompts',
        type=Path,
        help='JSON file of prompts, or folder with one per picture; see ovsam.apis.PromptFiles',
    )
    add_detector_flags(parser)
    parser.add_argument(
        '--example',
        action='append',
        default=[],
        metavar='NAME=IMAGE@x,y',
        help='what a name means, shown by a point or a box in a picture; may be repeated',
    )
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.3,
        help='least score of a name for '
        '--find, and to be drawn in pictures of a folder (%(default)s)',
    )
    parser.add_argument(
        '--back-off',
        type=float,
        metavar='PROBABILITY',
        help='where no name is that likely, a more general one that is, of WordNet',
    )
    parser.add_argument(
        '--wordnet',
        type=Path,
        metavar='FILE',
        help="WordNet's data.noun for --back-off; where Debian installs it if not given",
    )
    add_model_flags(parser, "; the model's if not given")
    parser.add_argument('--top-k', type=int, default=5, help='names to report (%(default)s)')
    parser.add_argument(
        '--out',
        type=output_folder,
        default=Path('work_dirs/predict'),
        help='folder to write to (%(default)s)',
    )
    parser.add_argument(
        '--format',
        nargs='+',
        choices=list(EXPORTS),
        help='write these as well; for a folder coco if not given',
    )
    parser.add_argument(
        '--precision', choices=PRECISIONS, help='what to compute in (fp32, unless built otherwise)'
    )
    return exit_status('predict', run, parser.parse_args(argv))
