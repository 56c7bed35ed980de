import pytest

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.timing import measure_latency, random_boxes


@pytest.mark.parametrize('count', [0, 1, 50])
def test_boxes_lie_inside_the_image(count):
    boxes = random_boxes(count, 64)
    assert len(boxes) == count
    boxes.check_inside([(64, 64)])


def test_latency_of_the_small_world():
    found = measure_latency(load_config('mini'), prompts=2, repeat=1, size=128)
    assert found.image > 0 and found.prompts > 0
