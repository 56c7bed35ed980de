"""Names that were taught, in a file: for another session, another machine, someone else."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save

from ovsam_onnx.names import read_columns

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
    header, columns = read_columns(path, KIND, 'save_names writes such files', 'pt')
    if not isinstance(bank.space, ExampleSpace):
        raise ValueError('this model cannot learn names by example: it has no example_space')
    if header['model'] != bank.space.fingerprint():
        raise ValueError(
            f'{path} was taught to another model, or to one with another example_space: regions '
            'look different to this one; teach the names again'
        )
    names = json.loads(header['names'])
    rows = len(names)
    expected = {'sums': (rows, *bank.space.mean.shape), 'counts': (rows,), 'with_text': (rows,)}
    if {name: tuple(column.shape) for name, column in columns.items()} != expected:
        raise ValueError(f'{path} is damaged: its columns are not those of {rows} names')
    return bank.with_examples_of(names, Examples(torch.arange(len(names)), **columns))
