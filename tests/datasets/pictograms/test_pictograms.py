"""The small world: glyphs, crops, scenes, its vocabulary and its files."""

import json
import sys

import numpy as np
import pytest
from mmdet.registry import DATASETS, TASK_UTILS
from pycocotools import mask as mask_utils

from ovsam.datasets import OpenVocabularyCocoDataset
from ovsam.datasets.pictograms import renderer as pictogram_renderer
from ovsam.datasets.pictograms.crops import PictogramCrops
from ovsam.datasets.pictograms.glyphs import load_glyphs, pictogram_names, pictogram_table
from ovsam.datasets.pictograms.renderer import render_crop, render_scene
from ovsam.datasets.pictograms.vocabulary import pictogram_group
from tools import make_pictograms


def test_empty_scene_has_no_masks():
    scene = render_scene(np.random.default_rng(0), [], size=64)
    assert scene.masks.shape == (0, 64, 64)
    assert scene.image.shape == (64, 64, 3)


def test_every_glyph_lies_within_its_silhouette():
    glyphs = load_glyphs()
    assert len(glyphs) == len(pictogram_names()) > 800
    for glyph in glyphs:
        assert (glyph.silhouette >= glyph.ink).all()
        assert (glyph.silhouette > 127).sum() > 300


def test_split_is_cocos_and_disjoint():
    split = pictogram_table()['split']
    assert len(split['novel']) == 17
    assert not set(split['base']) & set(split['novel'])
    assert set(split['base'] + split['novel']) <= set(pictogram_names())


def test_scene_repeats_with_its_seed_and_masks_do_not_overlap():
    scenes = [
        render_scene(np.random.default_rng(3), [0, 5, 9, 30], size=128, object_size=(24, 64))
        for _ in range(2)
    ]
    assert (scenes[0].image == scenes[1].image).all()
    assert (scenes[0].masks.sum(0) <= 1).all()
    assert len(scenes[0].labels) == len(scenes[0].masks) > 1


def test_mask_is_where_the_object_was_painted():
    background = render_scene(np.random.default_rng(5), [], size=128)
    assert background.image.std() > 0
    crop = render_crop(np.random.default_rng(1), 3, difficulty=0.0)
    inside = crop.image[crop.masks[0]].astype(float).mean()
    outside = crop.image[~crop.masks[0]].astype(float).mean()
    assert inside > outside + 40  # an easy crop is light on dark


def test_crops_rise_in_difficulty_and_repeat():
    crops = PictogramCrops(num_samples=900, seed=4, curriculum=0.5)
    labels = [crops[i]['labels'] for i in range(0, 818, 50)]
    assert len(set(labels)) == len(labels)
    assert (crops[7]['inputs'] == PictogramCrops(900, 4, curriculum=0.5)[7]['inputs']).all()
    assert (crops[7]['inputs'] != PictogramCrops(900, 5, curriculum=0.5)[7]['inputs']).any()
    with pytest.raises(IndexError):
        crops[900]


@pytest.mark.parametrize(
    'bad', [dict(num_samples=0), dict(curriculum=2.0), dict(vocabulary=['no such thing'])]
)
def test_crops_refuse_bad_settings(bad):
    with pytest.raises(ValueError):
        PictogramCrops(**{**dict(num_samples=4, seed=0), **bad})


def test_vocabulary_groups():
    base = TASK_UTILS.build(dict(type='PictogramVocabulary', group='base'))
    joint = TASK_UTILS.build(dict(type='PictogramVocabulary', seen='all_but_novel'))
    assert len(base) == len(pictogram_table()['split']['base'])
    assert (~joint.seen).sum() == 17
    with pytest.raises(ValueError, match='no group'):
        TASK_UTILS.build(dict(type='PictogramVocabulary', group='best'))


def test_a_third_of_the_other_names_has_pictures_only():
    pictured, boxed = pictogram_group('image_level'), pictogram_group('with_masks')
    assert len(pictured) == 254
    assert not set(pictured) & {*boxed, *pictogram_table()['split']['base']}
    assert {*pictured, *boxed} == set(pictogram_group('all_but_novel'))
    names = TASK_UTILS.build(
        dict(
            type='PictogramVocabulary',
            group='all_but_novel',
            split=dict(base='novel', novel='image_level'),
        )
    )
    assert names.split == dict(base=(), novel=pictured)


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp('world')
    make_pictograms.main(
        ['--out', str(out), '--splits', 'val', 'val_crops', '--limit', '6', '--workers', '1']
    )
    return out


def test_written_world_is_coco_with_exact_masks(world):
    content = json.loads((world / 'annotations/val.json').read_text())
    assert len(content['images']) == 6
    scene = make_pictograms.draw(0, 1, False)
    mine = [a for a in content['annotations'] if a['image_id'] == 0]
    assert len(mine) == len(scene.labels)
    for annotation, mask in zip(mine, scene.masks):
        assert (mask_utils.decode(annotation['segmentation']).astype(bool) == mask).all()


def test_pictures_of_names_lie_in_their_folders(tmp_path):
    names = pictogram_group('image_level')
    assert (
        make_pictograms.main(
            ['--out', str(tmp_path), '--splits', 'image_level', '--limit', '3', '--workers', '1']
        )
        == 0
    )
    content = json.loads((tmp_path / 'annotations/image_level.json').read_text())
    assert content['annotations'] == []
    files = [image['file_name'] for image in content['images']]
    assert files == [f'{name}/0000.jpg' for name in names[:3]]
    assert all((tmp_path / 'image_level' / file).is_file() for file in files)
    later, _ = make_pictograms.write_named(len(names) + 1, 5, tmp_path / 'image_level')
    assert later['file_name'] == f'{names[1]}/0001.jpg'


def test_finished_split_is_left_alone(world):
    path = world / 'annotations/val.json'
    before = path.stat().st_mtime_ns
    make_pictograms.main(['--out', str(world), '--splits', 'val', '--limit', '6', '--workers', '1'])
    assert path.stat().st_mtime_ns == before


def test_a_split_whose_drawing_ended_is_no_finished_one(tmp_path, monkeypatch):
    """Neither of the seed that it had nor of the new one: its images are of both."""
    arguments = ['--out', str(tmp_path), '--splits', 'val', '--limit', '2', '--workers', '1']
    assert make_pictograms.main(arguments) == 0
    first = (tmp_path / 'val/000000.jpg').read_bytes()
    draw = make_pictograms.draw
    with monkeypatch.context() as patch:

        def interrupted(index, *args):
            if index:
                raise KeyboardInterrupt
            return draw(index, *args)

        patch.setattr(make_pictograms, 'draw', interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_pictograms.main([*arguments, '--seed', '1'])
    assert (tmp_path / 'val/000000.jpg').read_bytes() != first
    assert make_pictograms.main(arguments) == 0
    assert (tmp_path / 'val/000000.jpg').read_bytes() == first


@pytest.mark.parametrize('limit', ['0', '-1'])
def test_no_images_are_refused(tmp_path, capsys, limit):
    with pytest.raises(SystemExit):
        make_pictograms.main(['--out', str(tmp_path), '--limit', limit])
    assert '--limit must be positive' in capsys.readouterr().err


def test_faults_of_writing_are_one_line(tmp_path, monkeypatch, capsys):
    arguments = ['--out', str(tmp_path), '--splits', 'val', '--limit', '1', '--workers', '1']
    (tmp_path / 'val/000000.jpg').mkdir(parents=True)
    assert make_pictograms.main(arguments) == 2
    assert '000000.jpg' in capsys.readouterr().err.splitlines()[-1]
    (tmp_path / 'val/000000.jpg').rmdir()
    assert not (tmp_path / 'annotations/val.json').exists()
    # Without its cache, so that the font is asked for.
    monkeypatch.setattr(pictogram_renderer, 'load_glyphs', load_glyphs.__wrapped__)
    monkeypatch.setitem(sys.modules, 'fonticon_mdi7', None)
    assert make_pictograms.main(arguments) == 2
    assert 'pip install "fonticon' in capsys.readouterr().err.splitlines()[-1]


def _dataset(world, vocabulary) -> OpenVocabularyCocoDataset:
    return DATASETS.build(
        dict(
            type='OpenVocabularyCocoDataset',
            vocabulary=vocabulary,
            data_root=str(world),
            ann_file='annotations/val.json',
            data_prefix=dict(img='val/'),
            test_mode=True,
            pipeline=[],
        )
    )


def test_labels_index_the_vocabulary_in_any_order(world):
    names = list(pictogram_names())
    forward, backward = _dataset(world, names), _dataset(world, names[::-1])
    for index in range(len(forward)):
        one = [i['bbox_label'] for i in forward.get_data_info(index)['instances']]
        other = [i['bbox_label'] for i in backward.get_data_info(index)['instances']]
        assert [names[label] for label in one] == [names[::-1][label] for label in other]


def test_names_without_category_keep_their_place(world):
    names = ['unheard of', *pictogram_names()]
    assert _dataset(world, names).get_data_info(0)['instances'][0]['bbox_label'] >= 1
    with pytest.raises(ValueError, match='none of the vocabulary'):
        _dataset(world, ['unheard of', 'nor this'])
