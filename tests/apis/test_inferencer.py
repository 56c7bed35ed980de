"""Many images: mmdet's arguments and rows, resuming, broken files, formats."""

import json
import os
from pkgutil import resolve_name

import cv2
import numpy as np
import pytest
from mmdet.structures import DetDataSample
from mmengine.registry import INFERENCERS
from PIL import Image
from pycocotools import mask as mask_utils
from safetensors.numpy import load_file

from ovsam.apis import EverythingPrompts, OVSAMInferencer
from ovsam.apis.image_jobs import export_names, result_names
from ovsam.apis.inference_steps import split_texts
from ovsam.utils.image_walk import list_images
from ovsam.utils.images import pixels_of


def make(model, **kwargs):
    kwargs.setdefault('prompts', EverythingPrompts(points_per_side=8, pred_iou_thresh=0.5))
    return OVSAMInferencer(model, vocabulary=['cat', 'dog'], show_progress=False, **kwargs)


@pytest.fixture
def inferencer(colour_model):
    return make(colour_model)


@pytest.fixture
def photos(tmp_path, scene):
    """Two scenes of different sizes."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    cv2.imwrite(str(folder / 'a.png'), scene[0][..., ::-1])
    cv2.imwrite(str(folder / 'b.png'), scene[0][:220, :, ::-1])
    return folder


def test_empty_folder(inferencer, tmp_path):
    with pytest.raises(ValueError, match='has no images'):
        inferencer(tmp_path)
    with pytest.raises(FileNotFoundError, match='no image or folder'):
        inferencer(tmp_path / 'none')
    assert inferencer([]) == {'predictions': [], 'visualization': [], 'failed': [], 'resumed': 0}


def test_rows_are_mmdets(inferencer, photos, scene):
    results = inferencer([str(photos / 'a.png'), scene[0]])
    assert results['visualization'] == [] and results['failed'] == []
    for row in results['predictions']:
        assert len(row['labels']) == len(row['scores']) == len(row['bboxes']) == 3
        assert sorted(tuple(map(round, box)) for box in row['bboxes']) == sorted(scene[1])
        assert [['cat', 'dog'][label] for label in row['labels']] == row['label_names']
        assert mask_utils.decode(row['masks'][0]).shape == (256, 256)
        assert len(row['mask_scores']) == len(row['scores'])
        assert all(0 <= both <= name for both, name in zip(row['mask_scores'], row['scores']))
        json.dumps(row)
    (sample,) = inferencer(str(photos / 'a.png'), return_datasamples=True)['predictions']
    assert isinstance(sample, DetDataSample) and sample.img_path == str(photos / 'a.png')
    assert sample.pred_instances.masks.shape == (3, 256, 256)


def test_built_from_the_registry(random_mini):
    built = INFERENCERS.build(
        dict(
            type='OVSAMInferencer',
            model='mini',
            device='cpu',
            vocabulary=['cat', 'dog'],
            show_progress=False,
            prompts=EverythingPrompts(points_per_side=1),
        )
    )
    assert len(built(np.zeros((20, 30, 3), np.uint8))['predictions']) == 1


def test_batches_do_not_change_the_result(inferencer, photos, colour_model):
    alone = inferencer(photos)
    assert colour_model.calls['images'] == 2
    together = inferencer(photos, batch_size=5)
    assert colour_model.calls['images'] == 4
    assert together['predictions'] == alone['predictions']
    with pytest.raises(ValueError, match='batch_size'):
        inferencer(photos, batch_size=0)


def test_files_of_a_folder(inferencer, photos, tmp_path):
    out = tmp_path / 'out'
    results = inferencer(photos, out_dir=str(out), formats=['coco', 'labelme', 'yolo'])
    written = sorted(file.relative_to(out).as_posix() for file in out.rglob('*') if file.is_file())
    assert written == [
        'coco.json',
        'labelme/a.json',
        'labelme/b.json',
        'preds/a.json',
        'preds/b.json',
        'vis/a.jpg',
        'vis/b.jpg',
        'yolo/data.yaml',
        'yolo/labels/a.txt',
        'yolo/labels/b.txt',
    ]
    coco = json.loads((out / 'coco.json').read_text())
    assert len(coco['images']) == 2 and [c['name'] for c in coco['categories']] == ['cat', 'dog']
    assert len(coco['annotations']) == sum(len(row['labels']) for row in results['predictions'])


def test_nothing_is_written_unless_asked(inferencer, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob('*'))
    inferencer(photos)
    inferencer(photos, out_dir='out', no_save_pred=True, no_save_vis=True)
    assert sorted(tmp_path.rglob('*')) == before


def test_finished_images_are_not_computed_again(inferencer, photos, tmp_path, colour_model):
    out, calls = tmp_path / 'out', colour_model.calls
    first = inferencer(photos, out_dir=out)
    (out / 'coco.json').unlink()
    second = inferencer(photos, out_dir=out, formats=['coco', 'yolo'])
    assert calls['images'] == 2 and second['resumed'] == 2 and first['resumed'] == 0
    for before, after in zip(first['predictions'], second['predictions']):
        assert before['masks'] == after['masks'] and before['label_names'] == after['label_names']
        np.testing.assert_allclose(before['scores'], after['scores'])
    assert (out / 'coco.json').is_file() and (out / 'yolo' / 'labels' / 'b.txt').is_file()


def test_an_interrupted_folder_goes_on(inferencer, photos, tmp_path, colour_model, monkeypatch):
    segment = type(inferencer.prompts).segment

    def stop_at_b(self, predictor, pixels, file):
        if file.name == 'b.png':
            raise KeyboardInterrupt
        return segment(self, predictor, pixels, file)

    monkeypatch.setattr(EverythingPrompts, 'segment', stop_at_b)
    with pytest.raises(KeyboardInterrupt):
        inferencer(photos, out_dir=tmp_path / 'out')
    monkeypatch.setattr(EverythingPrompts, 'segment', segment)
    results = inferencer(photos, out_dir=tmp_path / 'out')
    assert results['resumed'] == 1 and len(results['predictions']) == 2


@pytest.mark.parametrize('rated', [True, False])
def test_a_picture_without_objects_is_resumed_as_it_was(
    colour_model, photos, tmp_path, monkeypatch, rated
):
    segment = colour_model.segment
    if not rated:
        monkeypatch.setattr(colour_model, 'segment', lambda *args: (segment(*args)[0], None))
    (tmp_path / 'none.json').write_text('[]')
    inferencer = make(colour_model, prompts=str(tmp_path / 'none.json'))
    first, again = (inferencer(photos, out_dir=tmp_path / 'out') for _ in range(2))
    assert again['resumed'] == 2 and again['predictions'] == first['predictions']
    assert ('mask_scores' in first['predictions'][0]) == rated


@pytest.mark.parametrize(
    'change', ['image', 'vocabulary', 'prompts', 'texts', 'top_k', 'damage', 'taught']
)
def test_what_is_out_of_date_is_done_again(colour_model, photos, tmp_path, scene, change):
    out = tmp_path / 'out'

    def told(name):
        made = make(colour_model)
        if change == 'taught':
            made.predictor.set_image(scene[0])
            made.predictor.teach(name, boxes=scene[1][0])
        return made

    told('cat')(photos, out_dir=out)
    inferencer, more = told('dog'), {}
    if change == 'image':
        cv2.imwrite(str(photos / 'a.png'), scene[0][::-1])
    elif change == 'vocabulary':
        inferencer.predictor.set_vocabulary(['cat', 'dog', 'fox'])
    elif change == 'prompts':
        inferencer = make(colour_model, prompts=EverythingPrompts(points_per_side=4))
    elif change == 'damage':
        (out / 'preds' / 'a.json').write_text('{"made')
    elif change != 'taught':
        more = {'texts': dict(texts='fox'), 'top_k': dict(top_k=1)}[change]
    results = inferencer(photos, out_dir=out, **more)
    assert results['resumed'] == (1 if change in ('image', 'damage') else 0)
    assert inferencer(photos, out_dir=out, **more)['resumed'] == 2


def test_pictures(inferencer, photos, tmp_path, colour_model):
    out = tmp_path / 'out'
    (picture, _) = inferencer(photos, return_vis=True, pred_score_thr=0.0)['visualization']
    assert picture.shape == (768, 768, 3) and picture.dtype == np.uint8
    (plain, _) = inferencer(photos, return_vis=True, draw_pred=False)['visualization']
    (unsure, _) = inferencer(photos, return_vis=True, pred_score_thr=1.0)['visualization']
    assert (plain != picture).any() and np.array_equal(plain, unsure)
    inferencer(photos, out_dir=out, pred_score_thr=0.0)
    before = (out / 'vis' / 'a.jpg').read_bytes()
    images = colour_model.calls['images']
    # Drawn otherwise, but not computed again; the second time not even drawn.
    for _ in range(2):
        assert inferencer(photos, out_dir=out, pred_score_thr=1.0)['resumed'] == 2
        assert (out / 'vis' / 'a.jpg').read_bytes() != before
    assert colour_model.calls['images'] == images


def test_shown(inferencer, photos, monkeypatch):
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, 'show', lambda block: shown.append(block))
    monkeypatch.setattr(plt, 'pause', shown.append)
    inferencer(photos / 'a.png', show=True)
    inferencer(photos / 'a.png', show=True, wait_time=0.5)
    assert shown == [True, False, 0.5] and plt.get_fignums() == []


def test_printed(inferencer, photos, capsys):
    inferencer(photos / 'a.png', print_result=True)
    assert "'label_names': [" in capsys.readouterr().out


def test_texts(inferencer, photos):
    results = inferencer(photos, texts='fox . owl', pred_score_thr=0.0)
    for row in results['predictions']:
        assert set(row['label_names']) <= {'fox', 'owl'} and len(row['labels']) == 3
        assert set(row['labels']) <= {2, 3}
    each = inferencer(photos, texts=['fox', 'cat'], pred_score_thr=0.0)['predictions']
    assert set(each[0]['label_names']) == {'fox'} and set(each[1]['labels']) == {0}
    with pytest.raises(ValueError, match='one for each of 2 images; got 3'):
        inferencer(photos, texts=['fox'] * 3)
    with pytest.raises(ValueError, match='nothing to tell'):
        inferencer(photos, texts='cat . dog')


def test_prompts_of_files(colour_model, photos, scene):
    (photos / 'a.json').write_text(json.dumps([{'points': [[30, 30]]}]))
    results = make(colour_model, prompts=photos)(photos)
    assert results['predictions'][0]['bboxes'] == [list(scene[1][0])]
    assert results['predictions'][1] is None
    assert 'b.json is missing' in results['failed'][0]['error']


@pytest.fixture
def zoo(tmp_path, scene):
    """Pictures of all kinds, good and bad, by what is expected: a size or an error."""
    folder = tmp_path / 'zoo'
    folder.mkdir()
    image = Image.fromarray(scene[0][:200])
    exif = image.getexif()
    exif[0x0112] = 6
    frames = [image.convert('P'), image.rotate(90).convert('P')]
    expected = {}

    def add(name, what, picture, **kwargs):
        picture.save(folder / name, **kwargs)
        expected[name] = what

    add('rgba.png', (200, 256), image.convert('RGBA'))
    add('grey.png', (200, 256), image.convert('L'))
    add('deep.png', (200, 256), Image.fromarray(np.full((200, 256), 30000, np.uint16)))
    add('cmyk.jpg', (200, 256), image.convert('CMYK'))
    add('turned.jpg', (256, 200), image, exif=exif)
    add('moving.gif', (200, 256), frames[0], save_all=True, append_images=frames[1:])
    add('one.PNG', (1, 1), Image.new('RGB', (1, 1)))
    add('narrow.png', 'too narrow: 20000 x 20', Image.new('RGB', (20000, 20)))
    add('cut.jpg', 'Cannot read picture', image)
    content = (folder / 'cut.jpg').read_bytes()
    (folder / 'cut.jpg').write_bytes(content[: len(content) // 2])
    (folder / 'text.jpg').write_text('once upon a time')
    (folder / 'nothing.png').write_bytes(b'')
    expected.update({'text.jpg': 'not a picture', 'nothing.png': 'not a picture'})
    (folder / 'notes.txt').write_text('not an image')
    return folder, expected


def test_pictures_of_all_kinds(inferencer, zoo, tmp_path, capsys):
    folder, expected = zoo
    inferencer.show_progress = True
    for _ in range(2):  # what is broken is tried, and told, each time
        results = inferencer(folder, batch_size=4, out_dir=tmp_path / 'out')
        names = sorted(expected)
        assert len(results['predictions']) == len(names)
        errors = {entry['input'].rsplit('/')[-1]: entry['error'] for entry in results['failed']}
        for name, row in zip(names, results['predictions']):
            if isinstance(expected[name], str):
                assert row is None and expected[name] in errors[name]
            else:
                saved = json.loads(
                    (tmp_path / 'out' / 'preds' / f'{name.split(".")[0]}.json').read_text()
                )
                assert (saved['height'], saved['width']) == expected[name], name
        lines = capsys.readouterr().err
        assert '11 images: 7 done' in lines and lines.count('left out /') == 4
    assert results['resumed'] == 7
    assert len(json.loads((tmp_path / 'out' / 'coco.json').read_text())['images']) == 7


@pytest.mark.parametrize('batch_size', [1, 2])
@pytest.mark.parametrize(
    'step',
    ['inference_steps.pixels_of', 'predictor.encode_images', 'inference_steps.draw_segments'],
)
def test_a_picture_too_large_for_the_memory(
    colour_model, photos, tmp_path, monkeypatch, capsys, step, batch_size
):
    Image.new('RGB', (300, 256)).save(photos / 'large.png')
    works = resolve_name(f'ovsam.apis.{step}')

    def fails(*args):
        images = args[1] if step == 'predictor.encode_images' else args[:1]
        if any(pixels_of(each).shape[1] == 300 for each in images):
            raise MemoryError
        return works(*args)

    monkeypatch.setattr(f'ovsam.apis.{step}', fails)
    inferencer = make(colour_model)
    inferencer.show_progress = True
    results = inferencer(photos, batch_size, out_dir=tmp_path / 'out')
    failed = {'input': str(photos / 'large.png'), 'error': 'MemoryError'}
    assert results['failed'] == [failed] and results['predictions'][2] is None
    assert 'large.png: MemoryError\n' in capsys.readouterr().err
    assert len(json.loads((tmp_path / 'out' / 'coco.json').read_text())['images']) == 2


def test_result_names(tmp_path):
    assert result_names([]) == []
    assert result_names([np.zeros(1), 'x/a.png']) == ['00000000', 'a']
    assert result_names(['x/a.png', 'x/a.jpg', 'x/b.jpg']) == ['a.png', 'a.jpg', 'b']
    names = result_names([tmp_path / 'x' / 'a.png', tmp_path / 'y' / 'a.png'])
    assert len(set(names)) == 2 and names[0].endswith('x_a.png')
    assert len(set(result_names(['a.png', 'a.png']))) == 2
    # What differs by case, accents or the numbers given here is one file on some disks.
    for images in (['A.png', 'a.jpg'], ['u\u0308.png', '\u00fc.jpg'], ['a' * 251 + '.png'] * 2):
        names = result_names(images)
        assert len({name.casefold() for name in names}) == 2
        assert all(len(os.fsencode(name)) <= 243 for name in names)
    twice = str(tmp_path / 'a.png')
    numbered = result_names([twice, twice])[0]
    assert len(set(result_names([twice, twice, f'{numbered}.jpg']))) == 3


def test_export_names(tmp_path):
    assert export_names([], []) == []
    assert export_names([np.zeros(1), 'x/a.png'], ['0', 'a']) == ['0', 'a.png']
    assert export_names(['x/a.png', tmp_path.cwd() / 'x/y/a.png'], 'ab') == ['a.png', 'y/a.png']
    assert export_names(['x/a.png', 'y/a.png'], 'ab') == ['x/a.png', 'y/a.png']


def test_images_of_one_name_lead_back_each(inferencer, tmp_path, scene):
    files = [tmp_path / split / '0001.png' for split in ('train', 'val')]
    for number, file in enumerate(files):
        file.parent.mkdir()
        cv2.imwrite(str(file), scene[0][: 256 - 8 * number, :, ::-1])
    out = tmp_path / 'out'
    inferencer(files, out_dir=out, formats=['coco', 'labelme', 'yolo'])
    images = json.loads((out / 'coco.json').read_text())['images']
    assert {each['file_name']: each['height'] for each in images} == {
        'train/0001.png': 256,
        'val/0001.png': 248,
    }
    assert sorted(
        path.relative_to(out / 'yolo/labels').as_posix()
        for path in out.glob('yolo/labels/**/*.txt')
    ) == ['train/0001.txt', 'val/0001.txt']
    places = [json.loads(path.read_text())['imagePath'] for path in out.glob('labelme/*.json')]
    assert sorted((out / 'labelme' / place).resolve() for place in places) == files


def test_what_would_not_lead_back_is_refused_before_work(
    inferencer, photos, tmp_path, colour_model
):
    (photos / 'a.jpg').write_bytes((photos / 'a.png').read_bytes())
    with pytest.raises(ValueError, match='a.jpg and a.png would all be a.txt'):
        inferencer(photos, out_dir=tmp_path / 'out', formats=['yolo'])
    with pytest.raises(ValueError, match='a.png comes 2 times'):
        inferencer([photos / 'a.png'] * 2, out_dir=tmp_path / 'out')
    assert colour_model.calls['images'] == 0 and not (tmp_path / 'out').exists()
    results = inferencer(photos, out_dir=tmp_path / 'out', formats=['coco', 'labelme'])
    assert len(results['predictions']) == 3 and len(list(tmp_path.glob('out/labelme/*'))) == 3


def test_one_file_of_prompts_is_of_one_image(colour_model, photos, tmp_path, scene):
    (photos / 'a.jpg').write_bytes((photos / 'a.png').read_bytes())
    (photos / 'a.json').write_text(json.dumps([{'points': [[30, 30]]}]))
    inferencer = make(colour_model, prompts=photos)
    with pytest.raises(ValueError, match=r'a.json for .*a.jpg and .*a.png\. Name prompts with'):
        inferencer(photos)
    (photos / 'a.json').rename(photos / 'a.png.json')
    results = inferencer(photos)
    assert [row is None for row in results['predictions']] == [True, False, True]


def test_odd_files_cost_no_other_picture(inferencer, photos, tmp_path, capsys):
    """Clutter and folders are no pictures; what cannot be read is told; all else is done."""
    content = (photos / 'a.png').read_bytes()
    for name in ('._a.png', 'Thumbs.db', '.DS_Store'):
        (photos / name).write_bytes(b'clutter')
    for folder in ('x.jpg', '__MACOSX'):
        (photos / folder).mkdir()
    names = [b'caf\xe9.png', b'line\nbreak.png', b'"q\'.png', b'l' * 251 + b'.png']
    for name in names:
        (photos / os.fsdecode(name)).write_bytes(content)
    (photos / 'gone.png').symlink_to(tmp_path / 'nowhere.png')
    inferencer.show_progress = True
    out = tmp_path / 'out'
    for before in (0, 6):
        results = inferencer(photos, out_dir=out, formats=['coco', 'labelme', 'yolo'])
        (failed,) = results['failed']
        assert failed['input'] == str(photos / 'gone.png') and results['resumed'] == before
    images = json.loads((out / 'coco.json').read_text(encoding='utf-8'))['images']
    assert sorted(os.fsencode(each['file_name']) for each in images) == sorted(
        [*names, b'a.png', b'b.png']
    )
    assert len(list((out / 'yolo' / 'labels').iterdir())) == 6
    assert len(list((out / 'labelme').iterdir())) == 6
    capsys.readouterr().out.encode()


def test_a_folder_of_nothing_but_clutter(tmp_path):
    (tmp_path / '._a.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match='has no images'):
        list_images(tmp_path)


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', ()),
        ('a red cat', ('a red cat',)),
        ('cat . dog .', ('cat', 'dog')),
        ('cat.', ('cat',)),
        ('St. Bernard . cat . cat', ('St. Bernard', 'cat')),
    ],
)
def test_split_texts(text, expected):
    assert split_texts(text) == expected


def test_unknown_inputs_and_formats(inferencer, photos, tmp_path):
    with pytest.raises(TypeError, match='got int'):
        inferencer([3])
    with pytest.raises(ValueError, match="no format 'voc'"):
        inferencer(photos, out_dir=tmp_path / 'out', formats=['voc'])
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(batch_size=0), 'batch_size must be positive; got 0'),
        (dict(top_k=0), 'top_k must be positive; got 0'),
        (dict(texts='fox', pred_score_thr=2.0), r'pred_score_thr must be in \[0, 1\]; got 2'),
    ],
)
def test_bad_arguments_are_no_fault_of_pictures(inferencer, photos, arguments, message):
    with pytest.raises(ValueError, match=message):
        inferencer(photos, **arguments)


def test_drawn_pictures_do_not_overwrite_others(inferencer, photos, colour_model):
    photos = photos.rename(photos.with_name('vis'))
    before = {file: file.read_bytes() for file in photos.iterdir()}
    with pytest.raises(ValueError, match='which the drawn ones would overwrite'):
        inferencer(photos, out_dir=photos.parent)
    assert colour_model.calls['images'] == 0
    assert inferencer(photos, out_dir=photos.parent, no_save_vis=True)['failed'] == []
    assert {file: file.read_bytes() for file in photos.iterdir()} == before


def test_features_are_returned_and_written(inferencer, photos, tmp_path):
    out = tmp_path / 'out'
    results = inferencer(photos, out_dir=out, no_save_vis=True, return_features=True)
    for name, row in zip('ab', results['predictions']):
        features = load_file(out / 'preds' / f'{name}.safetensors')
        assert features.keys() == row['features'].keys() == {'head', 'clip'}
        for opinion, rows in features.items():
            assert rows.shape == (len(row['labels']), 128) and rows.dtype == np.float32
            assert np.array_equal(rows, row['features'][opinion])
    (sample,) = inferencer(photos / 'a.png', return_datasamples=True, return_features=True)[
        'predictions'
    ]
    features = results['predictions'][0]['features']
    assert np.array_equal(sample.pred_instances.clip_features.numpy(), features['clip'])
    assert 'features' not in inferencer(photos / 'a.png')['predictions'][0]


def test_features_belong_to_their_result(inferencer, photos, tmp_path, colour_model):
    out = tmp_path / 'out'

    def run(**kwargs):
        before = colour_model.calls['images']
        results = inferencer(photos, out_dir=out, no_save_vis=True, return_features=True, **kwargs)
        return results, colour_model.calls['images'] - before

    inferencer(photos, out_dir=out, no_save_vis=True)
    first, encoded = run()
    assert encoded == 2  # the results were there, but not the features
    (out / 'preds' / 'b.safetensors').write_bytes(b'damaged')
    again, encoded = run()
    assert encoded == again['resumed'] == 1
    for rows, others in zip(first['predictions'], again['predictions']):
        assert all(
            np.array_equal(rows['features'][name], others['features'][name])
            for name in rows['features']
        )
    (out / 'preds' / 'a.safetensors').write_bytes((out / 'preds' / 'b.safetensors').read_bytes())
    assert run()[1] == 1  # another picture's
    assert run()[1] == 0
    inferencer.predictor.set_vocabulary(['pen', 'cup'])
    assert run()[1] == 2


def test_found_texts_keep_their_features(inferencer, photos):
    settings = dict(texts='cat', pred_score_thr=0.0, return_features=True)
    row = inferencer(photos / 'a.png', **settings)['predictions'][0]
    inferencer.predictor.set_image(photos / 'a.png')
    found = inferencer.predictor.find('cat', threshold=0, points_per_side=8, pred_iou_thresh=0.5)
    assert np.array_equal(row['features']['head'], found.region_embeddings[:, 0].numpy())


def test_features_of_a_model_without_names(random_sam, photos):
    with pytest.raises(ValueError, match='SAM gives masks without names'):
        OVSAMInferencer(random_sam)(photos, return_features=True)
