"""Which names compete in a step: all, those that are judged, a sample of either."""

import math

import pytest
import torch
from mmdet.structures import DetDataSample

from ovsam.naming.compared_names import AllNames, JudgedNames, SampledNames

NOTHING = torch.zeros(0, dtype=torch.long)


def samples(*judged):
    return [
        DetDataSample(metainfo={} if labels is None else dict(judged_labels=labels))
        for labels in judged
    ]


@pytest.mark.parametrize(
    'names',
    [AllNames(), SampledNames(2), JudgedNames(), JudgedNames(dict(type='SampledNames', num=3))],
)
def test_no_instances(names):
    columns, labels, bias = names(NOTHING, NOTHING, samples([1, 2]), 5)
    assert len(labels) == 0 and len(columns) <= 5
    assert bias is None or bias.shape in ((0, len(columns)), (1, len(columns)))


def test_all_names():
    columns, labels, bias = AllNames()(torch.tensor([3, 0]), torch.tensor([0, 0]), samples(None), 4)
    assert columns.tolist() == [0, 1, 2, 3] and labels.tolist() == [3, 0] and bias is None


def test_a_sample_has_the_instances_names_and_others_at_random():
    labels = torch.tensor([70, 3, 70])
    drawn = set()
    for _ in range(20):
        columns, places, bias = SampledNames(10)(labels, torch.zeros(3).long(), samples(None), 100)
        assert len(columns) == 10 and columns.tolist() == sorted(set(columns.tolist()))
        assert columns[places].tolist() == labels.tolist()
        assert bias[0, places].tolist() == [0, 0, 0]
        # Each of the eight stands for 98 / 8 names.
        assert bias.sum().item() == pytest.approx(8 * math.log(98 / 8))
        drawn |= set(columns.tolist())
    assert len(drawn) > 60


def test_a_samples_denominator_is_on_average_that_of_all_names():
    torch.manual_seed(0)
    logits = torch.randn(200)
    label = torch.tensor([5])
    sums = []
    for _ in range(2000):
        columns, _, bias = SampledNames(20)(label, torch.zeros(1).long(), samples(None), 200)
        sums.append((logits[columns] + bias[0]).exp().sum())
    assert torch.stack(sums).mean().item() == pytest.approx(logits.exp().sum().item(), rel=0.02)


def test_more_names_of_instances_than_are_sampled():
    columns, labels, bias = SampledNames(2)(
        torch.arange(4), torch.zeros(4).long(), samples(None), 9
    )
    assert columns.tolist() == labels.tolist() == [0, 1, 2, 3] and not bias.any()


def test_fewer_names_than_are_sampled():
    columns, _, bias = SampledNames(50)(torch.tensor([1]), torch.tensor([0]), samples(None), 9)
    assert len(columns) == 9 and bias is None


def test_a_sample_of_one_name_is_none():
    with pytest.raises(ValueError, match='at least 2'):
        SampledNames(1)


def test_only_judged_names_count_in_an_image():
    """Of a federated image few are judged; an instance's own name counts without being judged."""
    labels, images = torch.tensor([1, 4, 0]), torch.tensor([0, 0, 2])
    columns, places, bias = JudgedNames()(labels, images, samples([1, 3], [2], None), 6)
    assert columns.tolist() == list(range(6))  # the third image's annotation tells of all
    assert columns[places].tolist() == labels.tolist()
    counts = [
        [column for column, value in zip(columns.tolist(), row) if value == 0]
        for row in bias.tolist()
    ]
    assert counts == [[1, 3], [1, 3, 4], [0, 1, 2, 3, 4, 5]]
    assert bias[0, 0] == -math.inf


def test_names_that_nobody_judges_are_not_compared():
    columns, places, _ = JudgedNames()(torch.tensor([4]), torch.tensor([0]), samples([1, 3]), 1000)
    assert columns.tolist() == [1, 3, 4] and places.tolist() == [2]


def test_a_sample_is_drawn_from_judged_names():
    judged = list(range(100, 200))
    names = JudgedNames(dict(type='SampledNames', num=11))
    columns, places, bias = names(torch.tensor([150]), torch.tensor([0]), samples(judged), 1000)
    assert len(columns) == 11 and set(columns.tolist()) <= set(judged)
    assert columns[places] == 150 and bias[0, places] == 0
    assert bias.sum().item() == pytest.approx(10 * math.log(99 / 10))
