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

from ..serving.page.samples import draw_samples, list_samples
from ..serving.shared_model import SharedModel
from ..serving.uploads import UploadLimits
from ..utils.command_line import exit_status


def serve(args: argparse.Namespace) -> None:
    """Load the model and serve until interrupted.

    Raises:
        ImportError: Gradio is not installed.
        OSError: the port is in use.
    """
    limits = UploadLimits(args.max_megabytes, args.max_megapixels)
    for flag, value in (
        ('--max-megabytes', args.max_megabytes),
        ('--max-megapixels', args.max_megapixels),
    ):
        if not value > 0:
            raise ValueError(f'{flag} must be positive; got {value:g}')
    try:
        from ..serving.page.page import CSS, AnnotationPage, system_theme
    except ImportError as error:
        raise ImportError(f'the page needs Gradio ({error}): pip install "ovsam[app]"') from error
    from starlette.middleware import Middleware

    from ..serving.page.offline import SameOriginOnly

    chosen = list_samples(args.samples) if args.samples else None
    model = SharedModel(args.config, args.weights, args.vocabulary, args.device)
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
    parser = argparse.ArgumentParser(
        prog='ovsam app',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--model',
        '--config',
        dest='config',
        help='name of a published model such '
        'as ovsam-rn50x16-coco, downloaded the first time, or a config; if not '
        "given, the small world's that takes corrections, or its plain one where "
        'weights are missing',
    )
    parser.add_argument('--weights', help="checkpoint; the config's load_from if not given")
    parser.add_argument(
        '--vocabulary',
        help='what sessions begin with: names with commas '
        'between, a pack such as lvis, or a .txt or .json file',
    )
    parser.add_argument(
        '--samples',
        type=Path,
        help='folder of pictures to choose from; scenes of pictograms if not given',
    )
    parser.add_argument(
        '--points-per-side', type=int, help="of everything mode; the model's if not given"
    )
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to serve at; 0.0.0.0 for all that this machine has (%(default)s)',
    )
    parser.add_argument('--port', type=int, default=7860, help='(%(default)s)')
    parser.add_argument(
        '--max-megabytes',
        type=float,
        default=20.0,
        help='largest file that may be uploaded (%(default)s)',
    )
    parser.add_argument(
        '--max-megapixels', type=float, default=40.0, help='largest picture (%(default)s)'
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')
    return exit_status('app', serve, parser.parse_args(argv))
