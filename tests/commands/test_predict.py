"""The command line of the predictor: a line and a drawing per prompt, one clear line if not."""

import json
import re

import cv2
import numpy as np
import pytest

from ovsam.apis import OVSAMPredictor, init_model, notice_of
from ovsam.apis.init_model import load_config
from ovsam.apis.user_prompts import parse_prompt
from ovsam.commands import predict


@pytest.fixture
def image(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    path = tmp_path / 'scene.png'
    cv2.imwrite(str(path), picture)
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out'


def test_nothing_to_look_for(image, out, capsys):
    assert predict.main([str(image), '--out', str(out)]) == 2
    assert capsys.readouterr().err == (
        'predict: nothing to look for: give at least one --point or --box, or --everything, '
        '--find, --prompts or --detector\n'
    )
    assert not out.exists()


def test_prompts_in_the_order_given(image, out, random_mini, capsys):
    arguments = [
        str(image),
        '--box',
        '5,5,30,30',
        '--point',
        '20,20;40,10,0',
        '--point',
        '9,9',
        '--vocabulary',
        'cat,dog,sea lion',
        '--top-k',
        '2',
        '--out',
        str(out),
    ]
    assert predict.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    saved = json.loads((out / 'scene.json').read_text())
    assert [line.split(':')[0] for line in lines[:3]] == ['0', '1', '2']
    assert len(saved) == 3 and len(saved[0]['alternatives']) == 2
    for line, annotation in zip(lines, saved):
        assert annotation['category_name'] in line and f'{annotation["area"]} pixels' in line
    assert cv2.imread(str(out / 'scene.png')).shape == (440, 660, 3)
    assert sorted(path.name for path in out.iterdir()) == ['scene.json', 'scene.png']


def test_what_the_weights_do_not_know_is_said(image, out, random_mini, capsys):
    arguments = ['--point', '9,9', '--vocabulary', 'cat,dog', '--out', str(out)]
    assert predict.main([str(image), *arguments]) == 0
    said = capsys.readouterr().err
    assert 'know pictograms only' in said and 'ovsam download ovsam-rn50x16-coco' in said
    config = load_config('mini')
    config.domain = None
    assert notice_of(init_model(config)) is None


@pytest.mark.parametrize(
    'flag, text, coords, labels',
    [
        ('point', '1,2', [[1, 2], [0, 0]], [1, -1]),
        ('point', '1,2,0 3.5,4', [[1, 2], [3.5, 4], [0, 0]], [0, 1, -1]),
        ('box', '1,2,3,4', [[1, 2], [3, 4]], [2, 3]),
    ],
)
def test_parse_prompt(flag, text, coords, labels):
    prompt = parse_prompt(flag, text)
    assert prompt.coords.tolist() == [coords] and prompt.labels.tolist() == [labels]


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--point', 'here'], "--point must be x,y or x,y,label.*got 'here'"),
        (['--point', ''], '--point must be'),
        (['--point', '1,2,3,4'], '--point must be'),
        (['--point', '1,2,7'], r'1 \(on the object\)'),
        (['--point', 'nan,1'], 'finite'),
        (['--point', '500,1'], 'outside its image'),
        (['--box', '1,2,3'], '--box must be x1,y1,x2,y2'),
        (['--box', '1,2,3,4;5,6,7,8'], '--box must be'),
        (['--box', '9,9,3,30'], 'without area'),
        (['--point', '5,5', '--vocabulary', ''], 'at least one name'),
        (['--point', '5,5', '--vocabulary', 'none.txt'], 'none.txt'),
        (['--point', '5,5', '--config', 'none'], "No 'none.py'"),
        (['--point', '5,5', '--weights', 'none.pth'], 'none.pth.*does not exist'),
        (['--point', '5,5', '--device', 'abacus'], 'no device'),
        (['--point', '5,5', '--top-k', '0'], 'top_k must be positive'),
        (['--point', '5,5', '--everything'], '--everything, --point do not go together'),
        (['--prompts', 'p.json', '--find', 'fox'], '--find, --prompts do not go together'),
        (['--prompts', 'none.json'], 'no file or folder of prompts none.json'),
        (['--detector', 'none.py'], 'none.py'),
        (['--detector', 'd.py', '--everything'], '--everything, --detector do not go together'),
        (['--everything', '--detector-weights', 'd.pth'], 'of no detector'),
        (['--detector', 'd.py', '--detector-threshold', '-1'], r'--detector-threshold must be in'),
        (['--find', 'fox', '--threshold', '3'], r'--threshold must be in \[0, 1\]'),
        (['--find', 'cat', '--vocabulary', 'cat,'], 'nothing to tell cat from'),
        (['--point', '5,5', '--back-off', '0'], r'--back-off must be in \(0, 1\]; got 0'),
        (['--point', '5,5', '--wordnet', 'data.noun'], 'ask for them by --back-off'),
        (['--find', 'fox', '--back-off', '0.5'], 'leave one of them out'),
        (
            ['--point', '5,5', '--back-off', '0.5', '--wordnet', 'none'],
            'apt-get install wordnet-base',
        ),
    ],
)
def test_bad_input_is_one_line(image, out, random_mini, capsys, arguments, message):
    assert predict.main([str(image), *arguments, '--out', str(out)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count('\n') == 1 and captured.err.startswith('predict: ')
    assert re.search(message, captured.err)
    assert not out.exists()


@pytest.mark.parametrize('content', [None, b'', b'once upon a time'])
def test_bad_picture(tmp_path, out, capsys, content):
    path = tmp_path / 'a.png'
    if content is not None:
        path.write_bytes(content)
    assert predict.main([str(path), '--point', '1,1', '--out', str(out)]) == 2
    assert str(path) in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ('name', 'how'),
    [
        ('scene.png', ['--point', '9,9']),
        ('scene.json', ['--prompts', '{}']),
        ('scene.json', ['--point', '9,9', '--vocabulary', 'coco+{}/scene.json']),
    ],
)
def test_does_not_overwrite_what_is_given(image, capsys, name, how):
    """The picture, or its prompts or names beside it."""
    prompts = image.with_name('scene.json')
    prompts.write_text('[{"points": [[9, 9]]}]')
    image = image.rename(image.with_suffix('.png' if name == image.name else '.jpg'))
    before = image.read_bytes(), prompts.read_bytes()
    how = [word.format(image.parent) for word in how]
    assert predict.main([str(image), *how, '--out', str(image.parent)]) == 2
    assert f'would overwrite {image.with_name(name)}' in capsys.readouterr().err
    assert (image.read_bytes(), prompts.read_bytes()) == before


@pytest.fixture
def few_points(monkeypatch):
    """Everything mode of a model that has learned nothing: four points, all masks."""
    settings = dict(points_per_side=2, pred_iou_thresh=0.0, stability_score_thresh=0.0)
    build = OVSAMPredictor.__init__

    def built(self, *args, **kwargs):
        build(self, *args, **kwargs)
        self.model.everything = settings

    monkeypatch.setattr(OVSAMPredictor, '__init__', built)


def test_everything_in_all_formats(image, out, random_mini, few_points, capsys):
    assert (
        predict.main(
            [
                str(image),
                '--everything',
                '--vocabulary',
                'cat,dog',
                '--out',
                str(out),
                '--format',
                'coco',
                'labelme',
                'yolo',
            ]
        )
        == 0
    )
    saved = json.loads((out / 'scene.json').read_text())
    assert len(json.loads((out / 'coco.json').read_text())['annotations']) == len(saved) > 0
    assert len((out / 'yolo' / 'labels' / 'scene.txt').read_text().splitlines()) == len(saved)
    assert (out / 'labelme' / 'scene.json').is_file() and (out / 'scene.png').is_file()
    assert f'{len(saved) - 1}: ' in capsys.readouterr().out


def test_more_general_names(image, out, random_mini, few_points, tmp_path, capsys):
    """The weights know nothing: nothing is certain, and something is likelier than 1%."""
    wordnet = tmp_path / 'data.noun'
    wordnet.write_text(
        '00000001 05 n 01 dog 0 000 | barks\n'
        '00000002 05 n 01 collie 0 001 @ 00000001 n 0000 | a dog\n'
    )
    arguments = ['--vocabulary', 'collie,poodle,cup', '--wordnet', str(wordnet)]
    assert (
        predict.main(
            [
                str(image),
                '--point',
                '20,20',
                *arguments,
                '--back-off',
                '1',
                '--format',
                'coco',
                '--out',
                str(out),
            ]
        )
        == 0
    )
    assert 'none of these' in capsys.readouterr().out
    (found,) = json.loads((out / 'scene.json').read_text())
    assert found['category_name'] == 'none of these' and found['leaves'] == []
    # A folder's results are not those of another threshold.
    (tmp_path / 'folder').mkdir()
    image.rename(tmp_path / 'folder/scene.png')
    for threshold, before in (('1', 0), ('0.01', 0), ('0.01', 1)):
        assert (
            predict.main(
                [
                    str(tmp_path / 'folder'),
                    '--everything',
                    *arguments,
                    '--back-off',
                    threshold,
                    '--out',
                    str(out),
                ]
            )
            == 0
        )
        assert f'1 done ({before} before)' in capsys.readouterr().err
    record = json.loads((out / 'preds/scene.json').read_text())
    for annotation in record['annotations']:
        assert annotation['leaves'][0][0] == annotation['category_name'] != 'none of these'


def test_find(image, out, random_mini, few_points, capsys):
    arguments = [str(image), '--find', 'a red fox', '--vocabulary', 'cat,dog', '--out', str(out)]
    assert predict.main([*arguments, '--threshold', '0']) == 0
    saved = json.loads((out / 'scene.json').read_text())
    assert saved and {each['category_name'] for each in saved} == {'a red fox'}
    assert predict.main([*arguments, '--threshold', '1']) == 0
    assert 'Nothing found' in capsys.readouterr().out
    assert json.loads((out / 'scene.json').read_text()) == []


def test_several_texts_are_found_in_a_picture_as_in_a_folder(image, out, random_mini, few_points):
    flags = ['--find', 'a red fox . owl', '--vocabulary', 'cat,dog', '--threshold', '0']
    for given in (image, image.parent):
        assert predict.main([str(given), *flags, '--out', str(out)]) == 0
    alone = json.loads((out / 'scene.json').read_text())
    among = json.loads((out / 'preds/scene.json').read_text())['annotations']
    assert [each['category_name'] for each in alone] == [each['category_name'] for each in among]
    assert {each['category_name'] for each in alone} <= {'a red fox', 'owl'}


def test_prompts_from_a_file(image, out, random_mini, tmp_path):
    (tmp_path / 'p.json').write_text('[{"points": [[9, 9]]}, {"box": [5, 5, 30, 30]}]')
    assert predict.main([str(image), '--prompts', str(tmp_path / 'p.json'), '--out', str(out)]) == 0
    assert len(json.loads((out / 'scene.json').read_text())) == 2


def test_boxes_of_a_detector(image, out, random_mini, tiny_detector, capsys):
    config, weights = map(str, tiny_detector)
    arguments = ['--detector', config, '--vocabulary', 'cat,dog', '--out', str(out)]
    assert predict.main([str(image), *arguments]) == 2
    assert 'the detector has no weights' in capsys.readouterr().err
    arguments += ['--detector-weights', weights, '--detector-threshold', '0']
    assert predict.main([str(image), *arguments]) == 0
    saved = json.loads((out / 'scene.json').read_text())
    assert 0 < len(saved) <= 7 and {each['category_name'] for each in saved} <= {'cat', 'dog'}
    (image.parent / 'pictures').mkdir()
    image.rename(image.parent / 'pictures' / 'scene.png')
    assert predict.main([str(image.parent / 'pictures'), *arguments]) == 0
    written = json.loads((out / 'coco.json').read_text())['annotations']
    assert [each['segmentation'] for each in written] == [each['segmentation'] for each in saved]


def test_folder_with_a_broken_picture(image, out, random_mini, few_points, capsys):
    (image.parent / 'b.png').write_text('once upon a time')
    arguments = [str(image.parent), '--vocabulary', 'cat,dog', '--out', str(out)]
    assert predict.main([*arguments, '--point', '1,1']) == 2
    assert '--point are of one picture' in capsys.readouterr().err
    for before in (0, 1):
        assert predict.main([*arguments, '--everything']) == 1
        captured = capsys.readouterr()
        assert 'of 1 pictures' in captured.out and 'b.png' in captured.err
        assert f'1 done ({before} before), 1 left out' in captured.err
    assert (out / 'vis' / 'scene.jpg').is_file() and (out / 'coco.json').is_file()
    (image.parent / 'b.png').unlink()
    assert predict.main([*arguments, '--find', 'fox']) == 0


def test_a_picture_called_coco(image, out, random_mini, capsys):
    image = image.rename(image.with_name('coco.png'))
    arguments = [str(image), '--point', '9,9', '--vocabulary', 'cat,dog', '--out', str(out)]
    assert predict.main([*arguments, '--format', 'coco']) == 2
    assert 'coco.json would be the masks of coco.png and the COCO file' in capsys.readouterr().err
    assert not out.exists()
    assert predict.main([*arguments, '--format', 'yolo']) == 0


@pytest.mark.parametrize('name', ['caf\udce9.png', 'l' * 251 + '.png', 'a\nb.png'])
def test_odd_file_names(image, out, random_mini, capsys, name):
    image = image.rename(image.with_name(name))
    assert (
        predict.main(
            [
                str(image),
                '--point',
                '9,9',
                '--vocabulary',
                'cat,dog',
                '--out',
                str(out),
                '--format',
                'coco',
                'yolo',
                'labelme',
            ]
        )
        == 0
    )
    capsys.readouterr().out.encode()
    (record,) = json.loads((out / 'coco.json').read_text('utf-8'))['images']
    assert record['file_name'] == name


def test_names_by_example(image, out, random_mini, capsys):
    flags = ['--point', '30,20', '--out', str(out), '--vocabulary', 'cat,dog']
    assert predict.main([str(image), *flags, '--example', f'my gizmo={image}@30,20']) == 0
    assert 'my gizmo' in capsys.readouterr().out


@pytest.mark.parametrize('text', ['gizmo', 'gizmo=a.png', '=a.png@1,2', 'gizmo=@1,2'])
def test_malformed_examples(image, out, random_mini, capsys, text):
    assert predict.main([str(image), '--point', '1,1', '--out', str(out), '--example', text]) == 2
    assert 'NAME=IMAGE@x,y' in capsys.readouterr().err
