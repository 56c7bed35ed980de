"""Pictures of every kind through the configs' pipelines, as the predictor reads them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from ovsam.datasets import LoadAnnotatedImage
from ovsam.utils.images import read_image

DATASETS = Path(__file__).parents[2] / 'configs' / '_base_' / 'datasets'
ORIENTATION = 0x0112
QUARTER_TURN = 6


@pytest.fixture
def picture():
    """40 high and 60 wide, smooth, as photographs are."""
    noise = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(cv2.resize(noise, (60, 40), interpolation=cv2.INTER_CUBIC))


def load(path, **annotation):
    return LoadAnnotatedImage()(dict(img_path=str(path), **annotation))


def test_missing_and_damaged_files(tmp_path, picture):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        load(tmp_path / 'a.jpg')
    (tmp_path / 'empty.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match='not a picture'):
        load(tmp_path / 'empty.jpg')
    picture.save(tmp_path / 'a.jpg')
    (tmp_path / 'half.jpg').write_bytes((tmp_path / 'a.jpg').read_bytes()[:400])
    with pytest.raises(ValueError, match='Cannot read picture'):
        load(tmp_path / 'half.jpg')


@pytest.mark.parametrize(
    'mode, name',
    [
        ('RGB', 'a.jpg'),
        ('RGB', 'a.png'),
        ('L', 'a.jpg'),
        ('L', 'a.png'),
        ('CMYK', 'a.jpg'),
        ('CMYK', 'a.tif'),
        ('P', 'a.png'),
        ('1', 'a.png'),
    ],
)
def test_same_pixels_as_the_predictor_and_opencv(tmp_path, picture, mode, name):
    picture.convert(mode).save(tmp_path / name)
    results = load(tmp_path / name, height=40, width=60)
    assert results['img'].dtype == np.uint8 and results['img'].flags['C_CONTIGUOUS']
    assert results['img_shape'] == results['ori_shape'] == (40, 60)
    assert (results['img'][..., ::-1] == read_image(tmp_path / name)).all()
    reference = cv2.imread(str(tmp_path / name), cv2.IMREAD_COLOR)
    assert np.abs(results['img'].astype(int) - reference).max() <= 2


@pytest.mark.parametrize('name', ['a.png', 'a.tif'])
@pytest.mark.parametrize('channels', [1, 3])
def test_16_bit(tmp_path, picture, name, channels):
    grey = np.asarray(picture.convert('L'))
    values = np.repeat(grey[..., None], channels, axis=2)
    cv2.imwrite(str(tmp_path / name), values.astype(np.uint16) * 256 + 77)
    assert (load(tmp_path / name)['img'] == grey[..., None]).all()


@pytest.mark.parametrize('name', ['a.jpg', 'a.png'])
def test_exif_turns_a_picture_only_where_its_annotation_is_turned(tmp_path, picture, name):
    exif = picture.getexif()
    exif[ORIENTATION] = QUARTER_TURN
    picture.save(tmp_path / name, exif=exif)
    assert load(tmp_path / name)['ori_shape'] == (60, 40)
    assert load(tmp_path / name, height=60, width=40)['ori_shape'] == (60, 40)
    stored = load(tmp_path / name, height=40, width=60)['img']
    assert stored.shape[:2] == (40, 60)
    turned = load(tmp_path / name, height=60, width=40)['img']
    assert np.abs(np.rot90(stored, -1).astype(int) - turned).max() <= 8
    with pytest.raises(ValueError, match=r'its annotation says 41 and 60'):
        load(tmp_path / name, height=41, width=60)
    with pytest.raises(ValueError, match=rf'Image 17: .*{name}.* 40 pixels high and 60 wide, .*41'):
        load(tmp_path / name, height=41, width=60, img_id=17)


@pytest.mark.parametrize('config', ['coco.py', 'pictograms.py'])
@pytest.mark.parametrize('stored', [True, False])
def test_masks_of_a_turned_picture_lie_where_the_object_is(tmp_path, stored, config):
    """A whole test pipeline; the annotation is of the stored or of the upright picture."""
    picture = Image.new('RGB', (60, 40))
    picture.paste((255, 255, 255), (0, 0, 16, 8))  # top left as stored
    exif = picture.getexif()
    exif[ORIENTATION] = QUARTER_TURN
    picture.save(tmp_path / 'a.png', exif=exif)
    x1, y1, x2, y2 = (0, 0, 16, 8) if stored else (32, 0, 40, 16)
    height, width = (40, 60) if stored else (60, 40)
    pipeline = Config.fromfile(DATASETS / config).test_dataloader.dataset.pipeline
    with DefaultScope.overwrite_default_scope('mmdet'):
        import mmdet.datasets.transforms  # noqa: F401
        from mmdet.registry import TRANSFORMS

        compose = Compose([TRANSFORMS.build(step) for step in pipeline])
    data = compose(
        dict(
            img_path=str(tmp_path / 'a.png'),
            img_id=1,
            height=height,
            width=width,
            instances=[
                dict(
                    bbox=[x1, y1, x2, y2],
                    bbox_label=0,
                    ignore_flag=0,
                    mask=[[x1, y1, x2, y1, x2, y2, x1, y2]],
                )
            ],
        )
    )
    mask = data['data_samples'].gt_instances.masks.masks[0].astype(bool)
    image = cv2.resize(
        data['inputs'].permute(1, 2, 0).numpy(), (width, height), interpolation=cv2.INTER_AREA
    )
    assert ((image[..., 0] > 128) == mask).all()
