r"""The annotation page: point at things in a picture, get masks and names, correct, export.

    ovsam app                                        # the small world, at port 7860
    ovsam app --samples photos --model ovsam-rn50x16-coco --vocabulary coco
    ovsam app --model configs/mine.py --weights checkpoints/mine.pth

Open the address that it prints. It serves this machine only unless --host says otherwise; there is
no password, so whoever reaches it can use it. It asks other machines for nothing.
"""

import argparse
import tempfile
from pathlib import Path

from ..apis.flags import add_model_flags, add_server_flags, check_server_flags
from ..apis.image_jobs import list_images
from ..serving.page.samples import draw_samples
from ..serving.shared_model import SharedModel
from ..serving.uploads import UploadLimits
from ..utils.command_line import exit_status, parser_of


def serve(args: argparse.Namespace) -> None:
    """Load the model and serve until interrupted.

    Raises:
        ImportError: Gradio is not installed.
        OSError: The port is in use.
    """
    check_server_flags(args)
    limits = UploadLimits(args.max_megabytes, args.max_megapixels)
    try:
        from ..serving.page.page import CSS, AnnotationPage, system_theme
    except ImportError as error:
        raise ImportError(f'the page needs Gradio ({error}): pip install "ovsam[app]"') from error
    from starlette.middleware import Middleware

    from ..serving.page.offline import SameOriginOnly

    chosen = list_images(args.samples) if args.samples else None
    model = SharedModel(args.model, args.weights, args.vocabulary, args.device)
    with tempfile.TemporaryDirectory(prefix='ovsam-samples-') as drawn:
        samples = chosen or draw_samples(Path(drawn))
        everything = dict(points_per_side=args.points_per_side) if args.points_per_side else None
        page = AnnotationPage(model, samples, limits, everything).build()
        page.launch(
            server_name=args.host,
            server_port=args.port,
            share=False,
            quiet=True,
            ssr_mode=False,
            theme=system_theme(),
            css=CSS,
            footer_links=[],
            max_file_size=int(args.max_megabytes * 1e6),
            enable_monitoring=False,
            prevent_thread_lock=True,
            app_kwargs=dict(middleware=[Middleware(SameOriginOnly)]),
        )
        print(f'The annotation page is at {page.local_url} (Ctrl+C ends it)', flush=True)
        page.block_thread()


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam app')
    add_model_flags(parser, ', which sessions begin with')
    add_server_flags(parser, 7860, 'everything mode')
    parser.add_argument(
        '--samples',
        type=Path,
        help='folder of pictures to choose from; scenes of pictograms if not given',
    )
    return exit_status('app', serve, parser.parse_args(argv))
