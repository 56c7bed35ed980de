"""Look at vocabularies, make a file of one to edit, or embed one ahead of time.

    ovsam vocabulary --list
    ovsam vocabulary lvis --show 20
    ovsam vocabulary coco+lvis --out data/names.json
    ovsam vocabulary imagenet21k --embed configs/mini/ovsam_box.py
    ovsam vocabulary lvis --embed RN50-quickgelu --weights checkpoints/clip_RN50.pth
    ovsam vocabulary 'cat, dog' --embed mini --out names.safetensors

--embed takes the text tower and templates of a config's model, or open_clip's name of a CLIP with
the checkpoint --weights. The embeddings go to the cache that models read: --cache, else
$OVSAM_CACHE, $XDG_CACHE_HOME/ovsam or ~/.cache/ovsam. What is there already is not made again, so
an interrupted run goes on. An --out that ends in .safetensors holds names and embeddings, for
models that run without torch (ovsam export).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import open_clip
from mmengine.config import Config
from tabulate import tabulate

from ..apis.init_model import init_model, load_config
from ..naming.name_bank import embed_bank
from ..naming.names_file import names_file
from ..naming.text_cache import TextEmbeddingCache
from ..utils.command_line import exit_status, given_flags, parser_of
from ..utils.files import require_writable, write_whole
from ..utils.wording import listed
from ..vocabulary import (
    PACKS,
    TextReader,
    Vocabulary,
    build_vocabulary,
    merge_same_names,
    report_texts,
)


def list_packs() -> None:
    """A line for each pack."""
    rows = []
    for name, pack in PACKS.items():
        try:
            count = f'{len(pack.make()):,}'
        except FileNotFoundError:
            count = 'no file'
        rows.append([name, count, pack.about])
    aligned = ['left', 'right', 'left']
    print(tabulate(rows, tablefmt='plain', colalign=aligned, disable_numparse=True))


def show(vocabulary: Vocabulary, count: int) -> None:
    """A line about the vocabulary, and one for each of its first names."""
    texts = sum(map(len, vocabulary.synonyms))
    groups = ''.join(f', {len(names):,} {group}' for group, names in vocabulary.split.items())
    print(f'{len(vocabulary):,} names, {texts:,} texts, {vocabulary.seen.sum():,} seen{groups}')
    for label in range(min(count, len(vocabulary))):
        name = vocabulary.names[label]
        aliases = vocabulary.aliases.get(name)
        print(
            f'{label:6}  {name}: {", ".join(vocabulary.synonyms[label])}'
            + (f' [{", ".join(aliases)}]' if aliases else '')
        )


def text_encoder(source: str, weights: str | None, device: str | None) -> tuple:
    """The text tower of a config or a CLIP with its weights, the config's templates and names."""
    names = None
    if source in open_clip.list_models():
        if weights is None:
            raise ValueError(f'CLIP {source} needs its weights: give --weights FILE')
        config, templates = dict(type='CLIPTextEncoder', arch=source), 'vild'
    else:
        if weights is not None:
            raise ValueError(
                "--weights are for a CLIP by name; a config's text_encoder has its own in init_cfg"
            )
        model = load_config(source).get('model', {})
        if 'text_encoder' not in model:
            raise ValueError(
                f'the model of {source} has no text_encoder: give the config of an OVSAM'
            )
        if model.get('context'):
            raise ValueError(
                f'the model of {source} has a learned context in place of templates, which is not '
                'embedded ahead of time: its names are embedded when they are first needed'
            )
        config, templates = model['text_encoder'], model.get('templates', 'vild')
        names = model.get('vocabulary')
    return init_model(Config(dict(model=config)), weights, device), templates, names


def embed(vocabulary: Vocabulary, args: argparse.Namespace) -> None:
    """Bring the embeddings of all texts into the cache, and into a file if one is asked for."""
    encoder, templates, trained = text_encoder(args.embed, args.weights, args.device)
    cache = TextEmbeddingCache(args.cache)
    if args.templates:
        vocabulary = replace(vocabulary, templates=args.templates)
    reader = TextReader(encoder.tokenizer, templates)
    report_texts(vocabulary, reader)
    if _has_embeddings(args.out):  # as a predictor takes a vocabulary
        if trained is not None:
            vocabulary = vocabulary.seen_by(build_vocabulary(trained))
        vocabulary = merge_same_names(vocabulary, reader)
    bank = embed_bank(encoder, vocabulary, templates, cache)
    channels = bank.table.shape[1]
    print(f'{len(vocabulary):,} names are embedded in {channels} channels, in {cache.folder}')
    if _has_embeddings(args.out):
        write_whole(args.out, names_file(bank, encoder.fingerprint(), templates))
        print(f'Wrote {args.out}')


def _has_embeddings(out: Path | None) -> bool:
    return out is not None and out.suffix == '.safetensors'


def _check(args: argparse.Namespace) -> None:
    """Reject what does not go together, before anything is made."""
    if args.vocabulary is None:
        without = given_flags(args, 'show', 'out', 'embed')
        if not args.list or without:
            raise ValueError(
                f'name a vocabulary{f" for {listed(without)}" if without else ""}: '
                f'{", ".join(PACKS)}, packs with + between, a .txt or .json file, or names with '
                'commas between'
            )
    if args.out is not None and args.out.suffix not in ('.json', '.safetensors'):
        raise ValueError(
            f'--out ends in .json, or in .safetensors for embeddings of --embed; got {args.out}'
        )
    if args.embed is None:
        if _has_embeddings(args.out):
            raise ValueError(
                f'{args.out} is to hold embeddings: say with --embed CONFIG whose text tower makes '
                'them'
            )
        without = given_flags(args, 'weights', 'templates', 'cache', 'device')
        if without:
            raise ValueError(f'{listed(without)} without --embed: say whose text tower embeds')


def run(args: argparse.Namespace) -> None:
    """List, show, write, embed."""
    _check(args)
    if args.list:
        list_packs()
    if args.vocabulary is None:
        return
    vocabulary = build_vocabulary(args.vocabulary)
    if args.out is not None:
        require_writable(args.out)
    show(vocabulary, args.show or 0)
    if args.out is not None and not _has_embeddings(args.out):
        vocabulary.to_json(args.out)
        print(f'Wrote {args.out}')
    if args.embed is not None:
        embed(vocabulary, args)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam vocabulary')
    parser.add_argument(
        'vocabulary',
        nargs='?',
        help='pack, packs and files with + between, a '
        '.txt or .json file, or names with commas between',
    )
    parser.add_argument('--list', action='store_true', help='the packs that there are')
    parser.add_argument(
        '--show',
        type=int,
        metavar='N',
        help='the first N names: texts [aliases]',
    )
    parser.add_argument(
        '--out', type=Path, metavar='FILE.json|FILE.safetensors', help='file to write'
    )
    parser.add_argument('--embed', metavar='CONFIG|CLIP', help='embed with the text tower of this')
    parser.add_argument('--weights', metavar='FILE', help='checkpoint of the CLIP')
    parser.add_argument(
        '--templates',
        help="none, simple or vild; the vocabulary's, the config's, or vild if not given",
    )
    parser.add_argument('--cache', type=Path, metavar='FOLDER', help='folder of the cache')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')
    return exit_status('vocabulary', run, parser.parse_args(argv))
