r"""The annotation page: point at things in a picture, get masks and names, correct, export.

    ovsam app                                        # the model for photographs, at port 7860
    ovsam app --folder photos --out labels.json      # one picture after the other, into a COCO file
    ovsam app --samples photos --model ovsam-rn50x16-coco --vocabulary coco
    ovsam app --onnx work_dirs/mini-onnx             # what ovsam export wrote, without torch

Open the address that it prints. It serves this machine only unless --host says otherwise; without
--token, whoever reaches it can use it. It asks other machines for nothing.
"""

import argparse
import contextlib
import socket
import tempfile
from pathlib import Path

from ..serving.served_flags import add_server_flags, check_server_flags, served_model
from ..serving.uploads import UploadLimits
from ..utils.command_line import ended_by_sigterm, exit_status, parser_of
from ..utils.image_walk import list_images
from ..utils.wording import listed, to_install


def serve(args: argparse.Namespace) -> None:
    """Load the model and serve until interrupted."""
    _check(args)
    limits = UploadLimits(args.max_megabytes, args.max_megapixels)
    try:
        import uvicorn

        from ..serving.page.picture_folder import PictureFolder
        from ..serving.page.samples import samples
        from ..serving.server.app import make_server
        from ..serving.server.gate import PAGE, GateSettings
    except ImportError as error:
        raise ImportError(f'a web server is needed {to_install(error, "app")}') from error
    from ..serving.annotator import Annotator

    with ended_by_sigterm(), contextlib.ExitStack() as opened:
        drawn = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix='ovsam-samples-')))
        shown = list_images(args.samples) if args.samples else None
        pictures = PictureFolder.of(args.folder, args.out) if args.folder else None
        left_out = pictures.out.left_out if pictures and pictures.out else ()
        if left_out:
            print(
                f'{args.out} keeps {len(left_out)} objects that the page cannot show: '
                f'{listed(left_out, between="; ")}'
            )
        family = socket.AF_INET6 if ':' in args.host else socket.AF_INET
        place = (args.host, args.port)
        taken = opened.enter_context(socket.create_server(place, family=family))
        everything = dict(points_per_side=args.points_per_side) if args.points_per_side else {}
        model = served_model(args)
        if pictures is None:
            shown = samples(drawn, model.domain) if shown is None else shown
            pictures = PictureFolder({file.name: file for file in shown})
        annotator = Annotator(model, limits, everything=everything)
        gate = GateSettings(
            args.token, args.host, per_minute=0, megabytes=limits.megabytes * 4 / 3 + 1
        )
        app = make_server(annotator, gate=gate, pictures=pictures)
        host = f'[{args.host}]' if ':' in args.host else args.host
        address = f'http://{host}:{taken.getsockname()[1]}{PAGE}/'
        print(f'The annotation page is at {address} (Ctrl+C ends it)', flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(app, log_level='warning')).run([taken])


def _check(args: argparse.Namespace) -> None:
    check_server_flags(args)
    if args.folder and args.samples:
        raise ValueError('--folder and --samples are both given: choose one of them')
    if bool(args.folder) != bool(args.out):
        raise ValueError('--folder and --out go together: the pictures, and the COCO file to write')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam app')
    add_server_flags(parser, 7860, ', which sessions begin with', 'what people must enter')
    parser.add_argument(
        '--folder',
        type=Path,
        help='folder of pictures to annotate one after the other, with those in its subfolders',
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE.json',
        help='COCO file that keeps what is annotated in --folder, and goes on from what it has',
    )
    parser.add_argument(
        '--samples',
        type=Path,
        help='folder of pictures to try; if not given, photographs of scikit-image if it is '
        'installed, or scenes of pictograms for a model of the small world',
    )
    return exit_status('app', serve, parser.parse_args(argv))
