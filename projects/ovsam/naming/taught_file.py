"""Names that were taught, in a file: for another session, another machine, someone else."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from .examples import Examples, ExampleSpace
from .name_bank import NameBank

KIND = 'ovsam names by example'


def taught_file(bank: NameBank) -> bytes:
    """What a bank knows by example, as a safetensors file.

    Raises:
        ValueError: It knows nothing by example.
    """
    if bank.examples is None or not isinstance(bank.space, ExampleSpace):
        raise ValueError('no name was taught yet: there is nothing to save')
    _, sums, counts, with_text = (column.cpu().contiguous() for column in bank.examples.columns())
    header = dict(
        kind=KIND, model=bank.space.fingerprint(), names=json.dumps(list(bank.taught_names))
    )
    return save(dict(sums=sums, counts=counts, with_text=with_text), header)


def with_taught_file(bank: NameBank, path: Path) -> NameBank:
    """A bank that knows what is in a file, too.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no such file, or of another model.
    """
    if not path.is_file():
        raise FileNotFoundError(f'there is no file {path} with names that were taught')
    try:
        with safe_open(path, 'pt') as file:
            header = file.metadata() or {}
            columns = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(f'{path} is no safetensors file: {error}') from error
    if header.get('kind') != KIND or columns.keys() != {'sums', 'counts', 'with_text'}:
        raise ValueError(f'{path} holds no names that were taught: save_names writes such files')
    if not isinstance(bank.space, ExampleSpace):
        raise ValueError('this model cannot learn names by example: it has no example_space')
    if header['model'] != bank.space.fingerprint():
        raise ValueError(
            f'{path} was taught to another model, or to one with another example_space: regions '
            'look different to this one; teach the names again'
        )
    names = json.loads(header['names'])
    return bank.with_examples_of(names, Examples(torch.arange(len(names)), **columns))
