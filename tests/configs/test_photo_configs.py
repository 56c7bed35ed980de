"""The configs of the photographic model are built without its packages."""

from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.vocabulary import COCO_BASE_48, COCO_NOVEL_17, build_vocabulary

CONFIGS = sorted((Path(__file__).parents[2] / 'configs' / 'photo').glob('*.py'))
IDS = [path.stem for path in CONFIGS]


def test_there_are_configs():
    assert len(CONFIGS) > 8


@pytest.mark.parametrize('path', CONFIGS, ids=IDS)
def test_a_model_builds(path):
    model = Config.fromfile(path).model.to_dict()
    if 'text_encoder' in model:  # small: nothing is embedded here
        model['text_encoder']['sentences'] = dict(vocab_size=2, depth=1, init_cfg=None)
    with DefaultScope.overwrite_default_scope('mmdet'):
        MODELS.build(model)


def test_the_protocol_has_not_learned_from_novel_names():
    """Neither on pictures nor by ImageNet's classes."""
    training, protocol, held_out = (
        Config.fromfile(CONFIGS[0].with_name(f'{name}.py'))
        for name in ('base', 'base_box', 'names_held_out')
    )
    seen = build_vocabulary(training.model.vocabulary)
    assert {name for name, is_seen in zip(seen.names, seen.seen) if is_seen} == set(COCO_BASE_48)
    for cfg in (training, protocol):
        assert cfg.model.text_encoder.projection.num_points == 1000 - len(held_out.held_out)
        assert 'held_out' in cfg.model.text_encoder.projection.init_cfg.checkpoint
    assert protocol.test_evaluator[1].novel == list(COCO_NOVEL_17)
    assert protocol.test_evaluator[1].base == list(COCO_BASE_48[1:])


def test_pictures_to_choose_on_are_not_trained_on():
    base, box = (Config.fromfile(CONFIGS[0].with_name(f'{n}.py')) for n in ('base', 'base_box'))
    training, choosing = base.train_dataloader.dataset.dataset, box.val_dataloader.dataset
    assert training.ann_file == choosing.ann_file != box.test_dataloader.dataset.ann_file
    assert training.every == choosing.every
    assert not training.get('held_out', False) and choosing.held_out


def test_the_model_for_use_has_the_masks_of_the_protocol():
    """Its training changes the label head alone, so that is all that its file needs to hold."""
    training, use = (Config.fromfile(CONFIGS[0].with_name(f'{n}.py')) for n in ('all', 'all_box'))
    for part in ('neck', 'prompt_encoder', 'mask_decoder'):
        assert part in training.model.frozen
        for cfg in (training, use):
            assert cfg.model[part].init_cfg.checkpoint.endswith('/base.pth')
    assert 'label_head' not in training.model.frozen
    assert use.load_from.endswith('/all.pth')
    assert build_vocabulary(training.model.vocabulary).seen.all()


def test_what_is_fitted_is_no_part_of_trainings():
    for training, use in (('base', 'base_box'), ('zoomed', 'base_box'), ('all', 'all_box')):
        training, use = (
            Config.fromfile(CONFIGS[0].with_name(f'{name}.py')).model for name in (training, use)
        )
        assert 'correction' not in training.label_head
        seen = build_vocabulary(use.vocabulary).seen.sum()
        assert use.label_head.correction.num_names == seen == training.label_loss.num_names


def test_the_last_phase_sees_whole_pictures():
    first, last = (Config.fromfile(CONFIGS[0].with_name(f'{n}.py')) for n in ('base', 'finish'))
    assert last.model.prompt_encoder.frame == first.model.prompt_encoder.frame
    sizes = [cfg.train_dataloader.dataset.pipeline[1] for cfg in (first, last)]
    # Objects are as large in both.
    assert [size.size * size.scale[0] for size in sizes] == [pytest.approx(0.7 * 384)] * 2
    assert last.model.prompt_encoder.image_size == sizes[1].size == 384
