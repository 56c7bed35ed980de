"""A model whose masks are known, a labelling configuration, and what reads answers."""

import numpy as np
import pytest

from tests.apis.conftest import colour_model, model, scene

__all__ = ['colour_model', 'model', 'scene']

CONFIG = """
<View>
  <!-- masks, and what asks for them -->
  <Image name="image" value="$picture" zoom="true"/>
  <BrushLabels name="brush" toName="image">
    <Label value="cat" background="red"/><Label value="dog"/><Label value="umbrella" alias="U"/>
  </BrushLabels>
  <KeyPointLabels name="point" toName="image" smart="true"><Label value="object"/></KeyPointLabels>
  <RectangleLabels name="box" toName="image" smart="true"><Label value="object"/></RectangleLabels>
</View>
"""


@pytest.fixture
def config():
    return CONFIG


@pytest.fixture
def keypoint():
    """A smart keypoint in an image of 256 x 256 pixels, at a pixel."""

    def make(x, y, positive=True, size=(256, 256), **others):
        return {
            'id': f'{x}-{y}',
            'from_name': 'point',
            'to_name': 'image',
            'type': 'keypointlabels',
            'is_positive': positive,
            'image_rotation': 0,
            'original_height': size[0],
            'original_width': size[1],
            'value': {
                'x': 100 * x / size[1],
                'y': 100 * y / size[0],
                'width': 0.4,
                'keypointlabels': ['object'],
            },
            **others,
        }

    return make


@pytest.fixture
def rectangle():
    """A smart rectangle in an image of 256 x 256 pixels, by its corners' pixels."""

    def make(x1, y1, x2, y2, size=(256, 256), rotation=0):
        return {
            'id': f'{x1}-{y1}',
            'from_name': 'box',
            'to_name': 'image',
            'type': 'rectanglelabels',
            'image_rotation': 0,
            'original_height': size[0],
            'original_width': size[1],
            'value': {
                'x': 100 * x1 / size[1],
                'y': 100 * y1 / size[0],
                'width': 100 * (x2 - x1) / size[1],
                'height': 100 * (y2 - y1) / size[0],
                'rotation': rotation,
                'rectanglelabels': ['object'],
            },
        }

    return make


@pytest.fixture(scope='session')
def decode_rle():
    """Unpacks run lengths into the bytes of an RGBA image, as a browser does."""

    def decode(packed):
        bits = ''.join(f'{byte:08b}' for byte in packed)
        place = 0

        def read(count):
            nonlocal place
            place += count
            return int(bits[place - count : place], 2)

        total, word = read(32), read(5) + 1
        sizes = [read(4) + 1 for _ in range(4)]
        values = []
        while len(values) < total:
            repeated = read(1)
            length = read(sizes[read(2)]) + 1
            values += [read(word)] * length if repeated else [read(word) for _ in range(length)]
        return np.array(values, np.uint8)

    return decode


@pytest.fixture(scope='session')
def mask_of(decode_rle):
    """The mask (H, W) bool of a region."""

    def mask(region):
        size = region['original_height'], region['original_width'], 4
        return decode_rle(region['value']['rle']).reshape(size)[..., 3] > 0

    return mask
