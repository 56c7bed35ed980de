"""Write a model as ONNX graphs, which run without torch.

    ovsam export mini --out work_dirs/mini-onnx
    ovsam export configs/ovsam/ovsam_RN50x16_coco_box.py --out work_dirs/ovsam-onnx
    ovsam export mini --int8 --out work_dirs/mini-int8

DIR gets encoder.onnx (an image), decoder.onnx (prompts to masks), regions.onnx (masks to what is
compared with names), model.json, and the names of the model's own vocabulary, names.safetensors;
crops.onnx of a model with a second look, zoomed.onnx of one with a zoomed pass. Other names are
written by: ovsam vocabulary NAMES --embed CONFIG --out FILE.safetensors

In Python, with numpy, OpenCV, Pillow, safetensors and onnxruntime alone:

    from ovsam_onnx import OnnxPredictor
    predictor = OnnxPredictor('DIR', vocabulary='DIR/names.safetensors')
"""

import argparse

from ..apis.init_model import init_model, load_config
from ..export.onnx_files import export_onnx, require_onnx
from ..export.settings import refuse_detector
from ..naming.names_file import names_file
from ..utils.command_line import exit_status, output_folder, parser_of
from ..utils.files import write_whole


def export(args: argparse.Namespace) -> None:
    """Build, trace, write and report."""
    require_onnx()
    detector = load_config(args.config).get('model', {}).get('detector')
    if detector is not None:  # before its weights are looked for
        refuse_detector(detector['type'])
    model = init_model(args.config, args.weights, device='cpu')
    settings = export_onnx(model, args.out, args.precision)
    names = names_file(model.bank(), settings['names']['text_encoder'], model.templates)
    write_whole(args.out / 'names.safetensors', names)
    for file in sorted(args.out.iterdir()):
        print(f'{file}: {file.stat().st_size / 1e6:.1f} MB')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam export')
    parser.add_argument('config', help='a config or a model by name: photo, mini, ...')
    parser.add_argument(
        '--out', type=output_folder, required=True, metavar='DIR', help='folder to write'
    )
    parser.add_argument('--weights', metavar='FILE', help="checkpoint; the config's if not given")
    fewer = parser.add_mutually_exclusive_group()
    for precision, words in (
        ('fp16', 'half the size, for GPUs; a CPU computes in float32'),
        ('int8', "weights of all but the mask decoder in 8 bits, by onnxruntime's dynamic way"),
    ):
        fewer.add_argument(
            f'--{precision}', dest='precision', action='store_const', const=precision, help=words
        )
    parser.set_defaults(precision='fp32')
    return exit_status('export', export, parser.parse_args(argv))
