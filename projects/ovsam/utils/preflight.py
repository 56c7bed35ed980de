"""Looks for all that a run reads before anything slow begins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mmengine.config import Config

from .file_names import is_name_list, merged_parts
from .needed import MissingInputs
from .paths import fetched_path, resource_root
from .sources import source_of


def require_inputs(cfg: Config, mode: str) -> None:
    """Make sure that the data sets and weights of a run are there.

    Files are only looked for, not opened.

    Args:
        cfg: Of the run.
        mode: 'train' (the validation during training belongs to it) or 'test'.

    Raises:
        MissingInputs: Some are not; the message names them all, with what makes them.
    """
    missing: dict[str, str] = {}  # path: the first key that names it
    for key, path in run_inputs(cfg, mode):
        # An address, or a name in a model zoo, is there.
        if '://' not in path and find_input(path) is None:
            missing.setdefault(path, key)
    if missing:
        raise MissingInputs(_report(cfg.filename, missing))


def _report(config: str | None, missing: Mapping[str, str]) -> str:
    by_source: dict[str | None, list[str]] = {}
    for path in missing:
        by_source.setdefault(source_of(path), []).append(path)
    lines = [
        f'{len(missing)} files or folders that {config or "the config"} reads are not there '
        f'(paths count from {os.getcwd()}):'
    ]
    for source, paths in by_source.items():
        lines += [f'  {path}  ({missing[path]})' for path in paths]
        lines.append(f'      {source or "put it there, or change that key of the config"}')
    lines.append(
        'docs/data-and-training.md has the layout of the data, docs/weights.md the weights.'
    )
    return '\n'.join(lines)


def run_inputs(cfg: Config, mode: str) -> Iterator[tuple[str, str]]:
    """Key and path of each file or folder that a run reads; see :func:`require_inputs`."""
    kinds = ('train', 'val') if mode == 'train' else ('test',)
    for kind in kinds:
        if cfg.get(f'{kind}_dataloader') is None or cfg.get(f'{kind}_cfg') is None:
            continue
        for key, node in _mappings(f'{kind}_dataloader', cfg[f'{kind}_dataloader']):
            yield from _dataset_files(key, node)
        for key, node in _mappings(f'{kind}_evaluator', cfg.get(f'{kind}_evaluator')):
            if node.get('ann_file'):
                yield f'{key}.ann_file', node['ann_file']
            yield from _vocabulary_files(key, node)
    for key, node in _mappings('model', cfg.model):
        if node.get('type') == 'Pretrained':
            yield f'{key}.checkpoint', node['checkpoint']
        if node.get('type') == 'DetectionsFromFile':
            for name in ('file', 'ann_file'):
                if node.get(name):
                    yield f'{key}.{name}', node[name]
        yield from _vocabulary_files(key, node)
    if cfg.get('load_from'):
        yield 'load_from', cfg.load_from


def _dataset_files(key: str, node: Mapping) -> Iterator[tuple[str, str]]:
    root = node.get('data_root') or ''
    if node.get('backend_args') is None and isinstance(root, str):
        if node.get('ann_file'):
            yield f'{key}.ann_file', os.path.join(root, node['ann_file'])
        prefix = node.get('data_prefix') or {}
        # mmpretrain's data sets take one folder without a name.
        for name, folder in (dict(img_path=prefix) if isinstance(prefix, str) else prefix).items():
            yield f'{key}.data_prefix.{name}', os.path.join(root, folder)
        if root and not node.get('ann_file') and not node.get('folders'):
            yield f'{key}.data_root', root
        folders = node.get('folders') or ()
        for folder in [folders] if isinstance(folders, str) else folders:
            yield f'{key}.folders', os.path.join(root, folder)
    if node.get('listing'):
        yield f'{key}.listing', node['listing']
    if node.get('type') == 'LoadTeacherFeatures' and node.get('backend_args') is None:
        yield f'{key}.folder', node['folder']
    yield from _vocabulary_files(key, node)


def _vocabulary_files(key: str, node: Mapping) -> Iterator[tuple[str, str]]:
    vocabulary = node.get('vocabulary')
    if isinstance(vocabulary, str):
        for path in filter(is_name_list, merged_parts(vocabulary.strip())):
            yield f'{key}.vocabulary', path
    if node.get('type') == 'VocabularyFile':
        yield f'{key}.path', str(node['path'])


def _mappings(key: str, node: object) -> Iterator[tuple[str, Mapping]]:
    """A node and all mappings in it, each with its key in the config."""
    if isinstance(node, Mapping):
        yield key, node
        items: Iterable = node.items()
    else:
        items = enumerate(node) if isinstance(node, (list, tuple)) else ()
    for name, value in items:
        yield from _mappings(f'{key}.{name}', value)


def find_input(path: str) -> Path | None:
    """Where a file or folder that a config names is; None if it is nowhere.

    Relative paths count from the working directory; weights also from where the project keeps its
    own and from where it keeps fetched ones, see
    :func:`~ovsam.checkpoints.safe_loading.load_from_local`.
    """
    here, carried = Path(os.path.expanduser(path)), resource_root() / path
    if here.exists():
        return here
    return carried if carried.is_file() else fetched_path(path)
