import pytest

from ovsam.datasets import WholeImageRegion


@pytest.mark.parametrize('label', [None, [1, 2]])
def test_images_without_a_single_class(label):
    with pytest.raises(ValueError, match='one class is expected'):
        WholeImageRegion()(dict(img_path='a.jpg', img_shape=(4, 6), gt_label=label))


def test_the_region_is_the_image():
    found = WholeImageRegion()(dict(img_shape=(4, 6), gt_label=3))
    assert found['gt_bboxes'].tensor.tolist() == [[0, 0, 6, 4]]
    assert found['gt_bboxes_labels'].tolist() == [3] and not found['gt_ignore_flags'].any()
