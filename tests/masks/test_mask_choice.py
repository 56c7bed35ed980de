import pytest
import torch

from ovsam.masks.mask_choice import (
    AllGuesses,
    AllMasks,
    AmbiguityAwareChoice,
    FirstMask,
    is_ambiguous,
)
from ovsam.prompts import Prompts

POINT = Prompts.from_points([[[3.0, 4.0]]])
BOX = Prompts.from_boxes([[1.0, 2.0, 5.0, 6.0]])


def test_no_prompts():
    none = Prompts.empty()
    assert FirstMask()(none, None).tolist() == []
    assert AmbiguityAwareChoice()(none, torch.zeros(0, 4)).tolist() == []


def test_a_single_click_gets_the_best_guess_a_box_the_first_mask():
    quality = torch.tensor([[0.9, 0.1, 0.3, 0.2], [0.1, 0.9, 0.8, 0.7]])
    prompts = Prompts.cat([POINT, BOX])
    assert AmbiguityAwareChoice()(prompts, quality).tolist() == [[2], [0]]
    assert FirstMask()(prompts, quality).tolist() == [[0], [0]]


def test_all_guesses_come_best_first():
    quality = torch.tensor([[0.9, 0.1, 0.3, 0.2], [0.1, 0.9, 0.8, 0.7]])
    assert AllGuesses()(Prompts.cat([POINT, BOX]), quality).tolist() == [[2, 3, 1], [1, 2, 3]]
    assert AllMasks()(Prompts.cat([POINT, BOX]), quality).tolist() == [[0, 2, 3, 1], [1, 2, 3, 0]]


def test_corrections_and_mask_prompts_leave_no_doubt():
    corrected = POINT.with_points(torch.tensor([[9.0, 9.0]]), torch.tensor([0]))
    masked = Prompts.from_points([[[3.0, 4.0]]], masks=torch.zeros(1, 1, 8, 8))
    assert [is_ambiguous(each).item() for each in (POINT, BOX, corrected, masked)] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize('quality', [None, torch.zeros(1, 1)])
def test_nothing_to_choose_from(quality):
    for choice in (AmbiguityAwareChoice(), AllGuesses(), AllMasks()):
        with pytest.raises(ValueError, match='one mask per prompt'):
            choice(POINT, quality)
