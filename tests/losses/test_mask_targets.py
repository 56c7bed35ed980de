import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from ovsam.losses.mask_targets import region_targets
from ovsam.prompts import BoxPrompter


def sample(*labels):
    """An instance of each label, whose box begins at its label."""
    boxes = torch.tensor([[each, 0, each + 5, 5] for each in labels], dtype=torch.float32)
    instances = InstanceData(bboxes=boxes.reshape(-1, 4), labels=torch.tensor(labels).long())
    return DetDataSample(gt_instances=instances)


@pytest.mark.parametrize('labels', [((),), ((), ()), ((3, 1), (), (2,))])
@pytest.mark.parametrize('chosen', [slice(0), slice(None, None, -1), None])
def test_boxes_and_labels_of_all_instances_or_of_prompts(labels, chosen):
    samples = [sample(*each) for each in labels]
    expected = [(image, label) for image, each in enumerate(labels) for label in each]
    prompts = None
    if chosen is not None:
        order = list(range(len(expected)))[chosen]
        prompts = BoxPrompter()(samples)[torch.tensor(order, dtype=torch.long)]
        expected = [expected[place] for place in order]
    rois, found = region_targets(samples, prompts)
    assert rois.shape == (len(expected), 5) and found.dtype == torch.long
    assert list(zip(rois[:, 0].tolist(), found.tolist())) == expected
    assert torch.equal(rois[:, 1].long(), found)
