"""Jobs without a model: an image's label is what its file says."""

import json
from pathlib import Path

import pytest

from ovsam.bulk import begin
from ovsam.vocabulary import Vocabulary

NAMES = Vocabulary(('cat', 'dog', 'fox'))


def annotate(file: Path) -> dict:
    """Words of a file as objects one pixel wide; "broken" is an error."""
    words = file.read_text().split()
    if words == ['broken']:
        raise ValueError('it is\nbroken')
    return {
        'height': 8,
        'width': 9,
        'annotations': [
            {
                'category_name': word,
                'score': 0.5,
                'bbox': [place, 0, 1, 1],
                'area': 1,
                'segmentation': {'size': [8, 9], 'counts': '08P2'},
            }
            for place, word in enumerate(words)
        ],
    }


class Bench:
    """A folder of ten images and a job on them."""

    def __init__(self, folder: Path) -> None:
        self.photos, self.out = folder / 'photos', folder / 'out'
        self.photos.mkdir()
        for number in range(10):
            words = ('cat dog', 'dog fox', 'fox', 'broken')[number % 4]
            (self.photos / f'{number}.png').write_text(words)
        self.settings = {'top_k': 1}

    def begin(self, images=None, vocabulary=NAMES, **kwargs):
        return begin(self.out, images or self.photos, self.settings, vocabulary, **kwargs)

    def coco(self) -> dict:
        return json.loads((self.out / 'coco.json').read_text())

    def left_out(self) -> dict:
        lines = (self.out / 'left_out.jsonl').read_text().splitlines()
        return {record['file_name']: record for record in map(json.loads, lines)}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture(name='annotate')
def annotate_fixture():
    return annotate
