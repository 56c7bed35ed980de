r"""One server for annotation tools: a page, X-AnyLabeling, Label Studio, and programs.

    ovsam serve
    ovsam serve --model ovsam-rn50x16-coco --vocabulary lvis --host 0.0.0.0 --token SECRET
    ovsam serve --onnx work_dirs/mini-onnx    # what ovsam export wrote, without torch
    export LABEL_STUDIO_API_KEY=...    # an access token: Account & Settings in Label Studio
    ovsam serve --label-studio-url http://localhost:8080 --everything

The annotation page is at /page/. X-AnyLabeling: choose Remote-Server and enter this address. Label
Studio: connect it in a project's Settings > Model, with "interactive preannotations". The JSON API
is described at /api/docs.
docs/annotating.md has more. Without --token, whoever reaches the port can use it.
"""

import argparse
import os
from pathlib import Path

from ..serving.served_flags import add_server_flags, check_server_flags, served_model
from ..serving.uploads import UploadLimits
from ..utils.command_line import exit_status, parser_of
from ..utils.wording import to_install


def serve(args: argparse.Namespace) -> None:
    """Load the model and serve until interrupted."""
    check_server_flags(args, 'cached_images', 'cache_megabytes', 'queue')
    if not args.per_minute >= 0:
        raise ValueError(f'--per-minute must not be negative; got {args.per_minute:g}')
    try:
        import uvicorn

        from ..serving.label_studio.http_api import label_studio_routes
        from ..serving.label_studio.task_images import TaskImages
        from ..serving.server.app import make_server
        from ..serving.server.gate import GateSettings
    except ImportError as error:
        raise ImportError(f'a web server is needed {to_install(error, "serve")}') from error
    from ..serving.annotator import Annotator
    from ..serving.label_studio.backend import LabelStudioBackend

    limits = UploadLimits(args.max_megabytes, args.max_megapixels)
    tasks = TaskImages(
        args.label_studio_url, os.environ.get('LABEL_STUDIO_API_KEY'), args.local_files_root, limits
    )
    everything = dict(points_per_side=args.points_per_side) if args.points_per_side else {}
    annotator = Annotator(
        served_model(args),
        limits,
        images=args.cached_images,
        megabytes=args.cache_megabytes,
        everything=everything,
    )
    backend = LabelStudioBackend(
        annotator,
        tasks,
        own_vocabulary=args.vocabulary is not None,
        everything=args.everything,
    )
    gate = GateSettings(
        token=args.token,
        host=args.host,
        requests=args.queue,
        per_minute=args.per_minute,
        megabytes=limits.megabytes * 4 / 3 + 1,  # a picture in base64, and what is said of it
    )
    app = make_server(annotator, label_studio_routes(backend), gate, args.cors)
    uvicorn.run(app, host=args.host, port=args.port)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam serve')
    add_server_flags(
        parser,
        9090,
        ': what counts where a request brings no names. In Label Studio, regions get the likeliest '
        "of the project's labels that is in it; the project's labels alone if not given",
        "what clients must bring: X-AnyLabeling's API key, the password in Label Studio, "
        '"Authorization: Bearer TOKEN"',
    )
    _add_limits(parser)
    _add_label_studio(parser)
    return exit_status('serve', serve, parser.parse_args(argv))


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--cors',
        action='append',
        default=[],
        metavar='ORIGIN',
        help='let pages of this site ask from a browser, such as https://tool.example; may be '
        'given several times, * is any',
    )
    parser.add_argument(
        '--queue',
        type=int,
        default=32,
        help='requests at once; others are told to come again, by status 503 (%(default)s)',
    )
    parser.add_argument(
        '--per-minute',
        type=float,
        default=600,
        help='requests of one address, a sixth of them at once; others get status 429; any '
        'number if 0 (%(default)s)',
    )
    parser.add_argument(
        '--cached-images', type=int, default=16, help='encoded images to keep (%(default)s)'
    )
    parser.add_argument(
        '--cache-megabytes',
        type=float,
        default=2000,
        help='memory for what is kept of pictures (%(default)s)',
    )


def _add_label_studio(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--label-studio-url',
        default=os.environ.get('LABEL_STUDIO_URL', 'http://localhost:8080'),
        help='where uploaded files are (LABEL_STUDIO_URL, or http://localhost:8080)',
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
        help='pre-annotate in Label Studio: segment and name whatever there is in a task that '
        'comes without prompts',
    )
