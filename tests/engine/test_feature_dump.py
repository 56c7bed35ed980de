"""Storing a teacher's features: resumed, in parts, verified; and nothing is stored of bad input."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.datasets.teacher_features import DamagedFeaturesError
from ovsam.engine import RequireTeacherFeaturesHook
from ovsam.engine.distillation_config import DistillationConfig
from ovsam.engine.feature_dump import FeatureDump
from tests.tiny_training import write_pictures

COUNT = 7


@pytest.fixture
def images(tmp_path):
    """A folder of SA-1B; pictures of colours that tell them apart."""
    write_pictures(tmp_path / 'sa1b/sa_000000', COUNT)
    return tmp_path / 'sa1b/sa_000000'


@pytest.fixture
def cfg(tmp_path, images, save_teacher):
    """A distillation from stored features, as configs/sam2clip has it."""
    pipeline = [
        dict(type='LoadAnnotatedImage'),
        dict(type='Resize', scale=(32, 32), keep_ratio=True),
        dict(type='PackDetInputs', meta_keys=('img_path',)),
        dict(type='LoadTeacherFeatures', folder=str(tmp_path / 'features')),
    ]
    return Config(
        dict(
            model=dict(
                data_preprocessor=dict(
                    type='DetDataPreprocessor',
                    mean=[120] * 3,
                    std=[57] * 3,
                    bgr_to_rgb=True,
                    pad_size_divisor=32,
                ),
                teacher=dict(type='StoredTeacher', encoder=save_teacher(tmp_path / 'sam.pth')),
            ),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                dataset=dict(
                    type='SA1BDataset', data_root=str(tmp_path / 'sa1b'), pipeline=pipeline
                ),
            ),
        )
    )


def records(dump):
    """The store's files: when they were written, by name."""
    return {path.name: path.stat().st_mtime_ns for path in Path(dump.store.folder).glob('*/*')}


def build_dataset(cfg):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return DATASETS.build(cfg.train_dataloader.dataset)


def test_stored_features_are_the_teachers(cfg):
    dump = FeatureDump(cfg)
    report = dump.run()
    assert (report.made, report.kept, report.redone) == (COUNT, 0, [])
    assert report.size > 0 and 0 < report.squared_error < 1e-4
    teacher = dump.build_teacher()
    dataset = build_dataset(cfg)
    for index in range(COUNT):
        sample = dataset[index]
        inputs = dump.preprocessor(
            dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']])
        )['inputs']
        with torch.no_grad():
            expected = teacher(inputs)[0]
        stored = sample['data_samples'].teacher_features.embedding()
        torch.testing.assert_close(stored, expected, atol=0.02, rtol=0)


def test_a_second_run_makes_nothing(cfg):
    first = FeatureDump(cfg)
    first.run()
    before = records(first)
    report = FeatureDump(cfg).run()
    assert (report.made, report.kept) == (0, COUNT) and records(first) == before
    report = FeatureDump(cfg).verify()
    assert (report.made, report.kept, report.redone) == (0, COUNT, []) and records(first) == before


def test_a_killed_run_goes_on(cfg, monkeypatch):
    dump = FeatureDump(cfg)
    write, written = dump.store.write, []

    def killed(features):
        if len(written) == 3:
            raise KeyboardInterrupt
        write(features)
        written.append(features.image)

    monkeypatch.setattr(dump.store, 'write', killed)
    with pytest.raises(KeyboardInterrupt):
        dump.run()
    report = FeatureDump(cfg).run()
    assert (report.made, report.kept) == (COUNT - 3, 3)


@pytest.mark.parametrize('kind', ['shard', 'process'])
def test_parts(cfg, kind):
    """Together they are all images, each once."""
    made = []
    for index in range(3):
        part = FeatureDump(cfg, **{kind: (index, 3)})
        made.append(part.run().made)
        assert len(part.names) == made[-1]
    assert made == [3, 2, 2]
    assert FeatureDump(cfg).run().kept == COUNT
    assert FeatureDump(cfg, shard=(COUNT, COUNT + 1)).run().made == 0


def test_repeated_images_are_stored_once(cfg):
    dataset = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=3, dataset=dataset)
    assert FeatureDump(cfg).run().made == COUNT


@pytest.fixture
def stored(cfg):
    dump = FeatureDump(cfg)
    dump.run()
    return SimpleNamespace(
        path=lambda number: Path(dump.store.path(f'sa_000000/sa_{number}.jpg')), store=dump.store
    )


def test_truncated_and_swapped_records_are_named_and_made_anew(cfg, stored):
    names = 'sa_000000/sa_1.jpg', 'sa_000000/sa_2.jpg'
    before = [stored.store.read(name) for name in names]
    content = stored.path(1).read_bytes()
    stored.path(1).write_bytes(content[:-100])
    stored.path(2).write_bytes(content)
    with pytest.raises(DamagedFeaturesError, match=r'sa_1\.jpg\. It is truncated'):
        build_dataset(cfg)[1]
    report = FeatureDump(cfg).run()
    assert report.kept == COUNT - 2
    assert tuple(image for image, _ in report.redone) == names
    assert 'truncated' in report.redone[0][1] and 'of the image' in report.redone[1][1]
    for name, record in zip(names, before):
        torch.testing.assert_close(
            stored.store.read(name).embedding(), record.embedding(), atol=0.02, rtol=0
        )


def test_verifying_finds_changed_bytes_and_changed_pictures(cfg, stored, images):
    content = bytearray(stored.path(3).read_bytes())
    content[-40] ^= 255
    stored.path(3).write_bytes(content)
    shutil.copy(images / 'sa_5.jpg', images / 'sa_4.jpg')
    stored.path(6).unlink()
    # Neither shows in a header.
    assert FeatureDump(cfg, shard=(3, 10)).run().kept == 1
    report = FeatureDump(cfg).verify()
    assert (report.made, report.kept) == (3, COUNT - 3)
    reasons = dict(report.redone)
    assert 'checksum' in reasons['sa_000000/sa_3.jpg']
    assert 'of another input' in reasons['sa_000000/sa_4.jpg']
    assert FeatureDump(cfg).verify().kept == COUNT


def test_another_teachers_features_are_not_replaced_unasked(cfg, stored, save_teacher, tmp_path):
    before = records(SimpleNamespace(store=stored.store))
    cfg.model.teacher.encoder = save_teacher(tmp_path / 'other.pth', seed=1)
    with pytest.raises(ValueError, match=r'features of another teacher .*--out; --verify would'):
        FeatureDump(cfg).run()
    assert records(SimpleNamespace(store=stored.store)) == before
    report = FeatureDump(cfg).verify()
    assert report.made == len(report.redone) == COUNT
    assert 'of another teacher' in report.redone[0][1]


def test_no_room(cfg, monkeypatch):
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: SimpleNamespace(free=2000))
    dump = FeatureDump(cfg, process=(1, 2))  # the other one needs room, too
    with pytest.raises(OSError, match='7 records need .* GB are free: make room'):
        dump.run()
    assert records(dump) == {}


def test_the_disk_fills_up(cfg, monkeypatch):
    def full(features):
        raise OSError(errno.ENOSPC, 'No space left on device')

    dump = FeatureDump(cfg)
    monkeypatch.setattr(dump.store, 'write', full)
    with pytest.raises(OSError, match='is full after 0 new records: make room and run the same'):
        dump.run()


def test_random_pipelines(cfg):
    cfg.train_dataloader.dataset.pipeline.insert(2, dict(type='PhotoMetricDistortion'))
    with pytest.raises(ValueError, match='gives another input each time'):
        FeatureDump(cfg)


def test_teachers_without_weights(cfg):
    del cfg.model.teacher.encoder['init_cfg']
    with pytest.raises(ValueError, match='random weights teach nothing'):
        FeatureDump(cfg).run()


def test_a_live_teacher_and_a_folder(cfg, tmp_path):
    cfg.model.teacher = cfg.model.teacher.encoder
    cfg.train_dataloader.dataset.pipeline.pop()
    with pytest.raises(ValueError, match='name a folder for them with --out'):
        FeatureDump(cfg)
    dump = FeatureDump(cfg, str(tmp_path / 'mine'))
    assert dump.run().made == COUNT == len(records(dump))


@pytest.mark.parametrize('key', ['model', 'train_dataloader'])
def test_configs_without_a_distillation(cfg, key):
    cfg.pop(key)
    with pytest.raises(ValueError, match='trains no adapter on a teacher'):
        DistillationConfig(cfg)


@pytest.mark.parametrize(
    'wrap', [lambda dataset: dataset, lambda dataset: torch.utils.data.ConcatDataset([dataset])]
)
def test_missing_records_are_told_before_training(cfg, stored, wrap):
    runner = SimpleNamespace(train_dataloader=SimpleNamespace(dataset=wrap(build_dataset(cfg))))
    hook = RequireTeacherFeaturesHook()
    hook.before_train(runner)
    for number in (2, 4, 5, 6):
        stored.path(number).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r'4 of 7 images have no teacher features in .*: '
        r'sa_000000/sa_2\.jpg, .*sa_5\.jpg, .*sa_6\.jpg\. Make',
    ):
        hook.before_train(runner)
