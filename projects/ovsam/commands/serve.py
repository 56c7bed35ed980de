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

from ..apis.flags import add_model_flags, add_server_flags, check_server_flags
from ..serving.shared_model import SharedModel
from ..serving.uploads import UploadLimits
from ..utils.command_line import exit_status, parser_of


def serve(args: argparse.Namespace) -> None:
    """Load the model and serve until interrupted.

    Raises:
        ImportError: What it serves with is not installed.
        ValueError: A flag is out of its range, or the model does not name.
    """
    check_server_flags(args, 'cached_images')
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
    parser = parser_of(__doc__, 'ovsam serve')
    add_model_flags(
        parser,
        "; regions get the likeliest of the project's labels that is in it. The project's labels "
        'alone if not given',
    )
    add_server_flags(parser, 9090, '--everything')
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
        '--everything',
        action='store_true',
        help='pre-annotate: segment and name '
        'whatever there is in a task that comes without prompts',
    )
    return exit_status('serve', serve, parser.parse_args(argv))
