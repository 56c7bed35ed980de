r"""An ML backend for Label Studio: smart keypoints and rectangles become named brush masks.

    export LABEL_STUDIO_API_KEY=...    # an access token: Account & Settings in Label Studio
    ovsam serve --label-studio-url http://localhost:8080
    ovsam serve --model ovsam-rn50x16-coco --everything

Connect it in a project's Settings > Model, with "interactive preannotations". docs/annotating.md
has a labelling configuration. There is no password: whoever reaches the port can use it.
"""

import argparse
import os
from pathlib import Path

from ..serving.shared_model import SharedModel
from ..serving.uploads import UploadLimits
from ..utils.command_line import exit_status


def serve(args: argparse.Namespace) -> None:
    """Load the model and serve until interrupted.

    Raises:
        ImportError: what it serves with is not installed.
        ValueError: a flag is out of its range, or the model does not name.
    """
    for flag, value in (
        ('--max-megabytes', args.max_megabytes),
        ('--max-megapixels', args.max_megapixels),
        ('--cached-images', args.cached_images),
    ):
        if not value > 0:
            raise ValueError(f'{flag} must be positive; got {value:g}')
    if args.points_per_side is not None and not args.everything:
        raise ValueError('--points-per-side is of --everything: give that as well')
    try:
        import uvicorn

        from ..serving.label_studio.http_api import make_app
        from ..serving.label_studio.task_images import TaskImages
    except ImportError as error:
        raise ImportError(
            f'the backend needs a web server ({error}): pip install "ovsam[label-studio]"'
        ) from error
    from ..serving.label_studio.backend import LabelStudioBackend

    images = TaskImages(
        args.label_studio_url,
        args.label_studio_token,
        args.local_files_root,
        UploadLimits(args.max_megabytes, args.max_megapixels),
    )
    everything = None
    if args.everything:
        everything = dict(points_per_side=args.points_per_side) if args.points_per_side else {}
    model = SharedModel(args.model, args.weights, args.vocabulary, args.device)
    backend = LabelStudioBackend(
        model,
        images,
        own_vocabulary=args.vocabulary is not None,
        cached_images=args.cached_images,
        everything=everything,
    )
    uvicorn.run(make_app(backend), host=args.host, port=args.port)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='ovsam serve',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to serve at; 0.0.0.0 for all that this machine has (%(default)s)',
    )
    parser.add_argument('--port', type=int, default=9090, help='(%(default)s)')
    parser.add_argument(
        '--model',
        help='name of a published model such as ovsam-rn50x16-coco, '
        "downloaded the first time, or a config; if not given, the small world's "
        'that takes corrections, or its plain one where weights are missing',
    )
    parser.add_argument('--weights', help="checkpoint; the config's load_from if not given")
    parser.add_argument(
        '--vocabulary',
        help='names with commas between, a pack such as lvis, or a '
        ".txt or .json file; regions get the likeliest of the project's labels "
        "that is in it. The project's labels alone if not given",
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')
    parser.add_argument(
        '--cached-images', type=int, default=16, help='encoded images to keep (%(default)s)'
    )
    parser.add_argument(
        '--label-studio-url',
        default=os.environ.get('LABEL_STUDIO_URL', 'http://localhost:8080'),
        help='where uploaded files are (LABEL_STUDIO_URL, or http://localhost:8080)',
    )
    parser.add_argument(
        '--label-studio-token',
        default=os.environ.get('LABEL_STUDIO_API_KEY'),
        help='access token to read them with, legacy or personal; better set '
        'LABEL_STUDIO_API_KEY, which other users of this machine do not see',
    )
    parser.add_argument(
        '--local-files-root',
        type=Path,
        help='folder that Label Studio serves as '
        'local files, if this machine has it; they are asked of Label Studio if '
        'not given',
    )
    parser.add_argument(
        '--max-megabytes', type=float, default=20.0, help='largest file of an image (%(default)s)'
    )
    parser.add_argument(
        '--max-megapixels', type=float, default=40.0, help='largest image (%(default)s)'
    )
    parser.add_argument(
        '--everything',
        action='store_true',
        help='pre-annotate: segment and name '
        'whatever there is in a task that comes without prompts',
    )
    parser.add_argument(
        '--points-per-side', type=int, help="of --everything; the model's if not given"
    )
    return exit_status('serve', serve, parser.parse_args(argv))
