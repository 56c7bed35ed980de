import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from ovsam.evaluation import FilledBoxes, GrabCut


@pytest.fixture
def disc(tmp_path):
    """A picture of a red disc, its file's sample, and its mask."""
    rng = np.random.default_rng(0)
    image = rng.integers(90, 130, (60, 80, 3)).astype(np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    cv2.circle(mask, (40, 30), 18, 1, -1)
    image[mask > 0] = rng.integers(0, 40, (int(mask.sum()), 3)) + [0, 0, 200]
    cv2.imwrite(str(tmp_path / 'disc.png'), image)

    def sample(*boxes):
        return DetDataSample(
            metainfo=dict(img_path=str(tmp_path / 'disc.png'), ori_shape=(60, 80)),
            gt_instances=InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4).float()),
        )

    return sample, torch.from_numpy(mask).bool()


@pytest.mark.parametrize('kind', [FilledBoxes, GrabCut])
def test_no_boxes(kind, disc):
    sample, _ = disc
    found = kind().predict(torch.zeros(1, 3, 8, 8), [sample()])[0].pred_instances
    assert found.masks.shape == (0, 60, 80)


def test_the_box_is_filled(disc):
    sample, _ = disc
    found = FilledBoxes().predict(torch.zeros(1, 3, 8, 8), [sample([10.0, 5.0, 30.0, 25.0])])[0]
    assert found.pred_instances.masks.sum() == 400
    assert found.pred_instances.bboxes.tolist() == [[10, 5, 30, 25]]


def test_grab_cut_finds_a_disc_in_its_box(disc):
    sample, mask = disc
    found = GrabCut().predict(torch.zeros(1, 3, 8, 8), [sample([20.0, 10.0, 60.0, 50.0])])[0]
    found = found.pred_instances.masks[0]
    assert (found & mask).sum() / (found | mask).sum() > 0.95


def test_a_box_that_is_the_picture(disc):
    sample, _ = disc
    found = GrabCut().predict(torch.zeros(1, 3, 8, 8), [sample([0.0, 0.0, 80.0, 60.0])])[0]
    assert found.pred_instances.masks.all()
