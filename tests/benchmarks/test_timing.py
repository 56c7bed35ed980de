import pytest

from ovsam.apis import OVSAMPredictor
from ovsam.apis.init_model import load_config
from ovsam.benchmarks.timing import measure_latency, random_boxes, time_once


@pytest.mark.parametrize('count', [0, 1, 50])
def test_boxes_lie_inside_the_image(count):
    boxes = random_boxes(count, 64)
    assert len(boxes) == count
    boxes.given().check_inside((64, 64))


def test_latency_of_the_small_world():
    found = measure_latency(load_config('mini'), prompts=2, repeat=1, size=128)
    assert found.image > 0 and found.prompts > 0


def test_images_of_another_aspect(random_mini):
    seen = []

    class Watched(OVSAMPredictor):
        def set_image(self, image):
            seen.append(image.shape)
            super().set_image(image)

    predictor = Watched(random_mini, device='cpu')
    assert time_once(predictor, 2, 0.75).image > 0 and seen == [(192, 256, 3)]
