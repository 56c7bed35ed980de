"""Losses of several processes are those of one process that has all instances."""

from types import SimpleNamespace

import pytest
import torch

from ovsam.losses import BalancedNameLoss, SAMMaskLoss
from ovsam.losses.clip2sam_loss import CLIP2SAMLoss
from ovsam.losses.crop_distillation import CropDistillation
from ovsam.losses.dense_instance_loss import DenseInstanceLoss
from ovsam.losses.lowest_mask_loss import LowestMaskLoss
from ovsam.losses.share_of_mean import share_of_mean
from ovsam.segmenters.contrastive_clip import ContrastiveCLIP

from .test_dense_instance_loss import sample


def test_alone_it_changes_nothing():
    assert share_of_mean(0, torch.zeros(1)) == share_of_mean(7, torch.zeros(1)) == 1


def test_shares(in_processes):
    def shares(rank):
        return [
            float(share_of_mean(amounts[rank], torch.zeros(1)))
            for amounts in ((0, 0), (3, 1), (0, 5), (torch.tensor(0.5), torch.tensor(0.5)))
        ]

    assert in_processes(shares) == [[0, 1.5, 0, 1], [0, 0.5, 2, 1]]


class EveryPoint(CLIP2SAMLoss):
    """Without random points, which processes would draw otherwise than one does."""

    def _sample(self, logits, targets):
        return logits.flatten(1), targets.flatten(1)


def clip2sam(weight, rows):
    labels = torch.tensor([0, 3, 1, 3, 2])[rows]  # 3 is background, which counts less
    loss = EveryPoint()
    losses = loss.of_masks(weight * MASKS[rows, 0], TARGETS[rows])
    return dict(losses, loss_cls=loss.of_names(weight * CLASSES[rows], labels))


def sam(weight, rows):
    return SAMMaskLoss()(weight * MASKS[rows, 0], weight * QUALITY[rows, 0], TARGETS[rows])


def lowest(weight, rows):
    ambiguous = torch.tensor([True, False, True, True, False])[rows]
    return LowestMaskLoss()(weight * MASKS[rows], weight * QUALITY[rows], TARGETS[rows], ambiguous)


def crops(weight, rows):
    clip = SimpleNamespace(image_size=8, embed_images=lambda images: images.flatten(1)[:, :4])
    rois = torch.tensor(
        [[0, 2, 2, 9, 9], [0, 1, 5, 6, 12], [0, 4, 4, 15, 11], [0, 0, 0, 9, 3], [0, 7, 1, 12, 8]],
        dtype=torch.float,
    )[rows]
    images = torch.linspace(-1, 1, 3 * 16 * 16).view(1, 3, 16, 16)
    return CropDistillation()(images, rois, weight * CLASSES[rows], clip)


def balanced(weight, rows):
    labels = torch.tensor([0, 3, 1, 3, 3])[rows]
    return dict(loss=BalancedNameLoss(4)(weight * CLASSES[rows], labels))


torch.manual_seed(0)
MASKS, QUALITY, CLASSES = torch.randn(5, 3, 8, 8), torch.rand(5, 3), torch.randn(5, 4)
TARGETS = (torch.rand(5, 8, 8) > 0.5).float()


def gradient(loss, rows):
    weight = torch.tensor(2.0, requires_grad=True)
    sum(loss(weight, torch.tensor(rows, dtype=torch.long)).values()).backward()
    return weight.grad


@pytest.mark.parametrize('loss', [clip2sam, sam, lowest, crops, balanced])
def test_uneven_instances(in_processes, loss):
    """Distributed training takes the mean of the gradients."""
    whole = gradient(loss, [0, 1, 2, 3, 4])
    for parts in (([0, 1, 2, 3], [4]), ([], [0, 1, 2, 3, 4])):
        found = in_processes(lambda rank, parts=parts: gradient(loss, parts[rank]))
        torch.testing.assert_close(sum(found) / 2, whole)
    assert in_processes(lambda rank: gradient(loss, [])) == [0, 0]


def test_uneven_objects_of_scenes(in_processes):
    boxes = [(1, 1, 15, 14)], [(2, 2, 5, 6)], [], []
    scenes = [sample(*each, size=16) for each in boxes]
    torch.manual_seed(0)
    loss = DenseInstanceLoss(embed_dims=4, upscale=1)
    embedding = torch.randn(4, 4, 8, 8)

    def of(rows):
        loss.zero_grad()
        sum(loss(embedding[rows], [scenes[row] for row in rows]).values()).backward()
        return loss.predict[0].weight.grad.clone()

    whole = of([0, 1, 2, 3])
    for parts in (([0, 2], [1, 3]), ([0, 1], [2, 3])):
        found = in_processes(lambda rank, parts=parts: of(parts[rank]))
        torch.testing.assert_close(sum(found) / 2, whole)


def test_images_are_told_apart_from_the_texts_of_all_processes(in_processes, tiny_clip):
    """The contrastive loss of a large batch, not of two small ones."""
    labels = torch.tensor([0, 1, 2, 0])
    images = torch.nn.functional.normalize(torch.randn(4, tiny_clip['embed_dim']), dim=-1)

    def of(rows):
        torch.manual_seed(0)
        model = ContrastiveCLIP(tiny_clip, ['cat', 'dog', 'owl'], ['{}'])
        sum(model._loss(images[rows], labels[rows]).values()).backward()
        return {
            name: value.grad for name, value in model.named_parameters() if value.grad is not None
        }

    whole = of([0, 1, 2, 3])
    found = in_processes(lambda rank: of([2 * rank, 2 * rank + 1]))
    assert {'clip.logit_scale', 'class_table'} < whole.keys() == found[0].keys()
    for name, expected in whole.items():
        torch.testing.assert_close((found[0][name] + found[1][name]) / 2, expected)
