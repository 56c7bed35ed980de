import pytest
import torch

from ovsam.evaluation import ClickMetric


def evaluate(metric, *ious):
    for each in ious:
        instances = dict(click_ious=torch.tensor(each))
        metric.process({}, [dict(pred_instances=instances)])
    return metric.evaluate(len(ious))


def test_no_objects():
    assert evaluate(ClickMetric(), torch.zeros(0, 5).numpy()) == {'clicks/num': 0}


def test_mean_iou_and_clicks_to_an_iou():
    found = evaluate(
        ClickMetric(clicks=(1, 3, 5), targets=(85,)),
        [[0.5, 0.9, 0.8, 0.95]],
        [[0.2, 0.3, 0.4, 0.5], [0.9, 0.9, 0.9, 0.9]],
    )
    assert found['clicks/num'] == 3
    assert found['clicks/IoU@1'] == pytest.approx(100 * 1.6 / 3)
    assert found['clicks/IoU@3'] == pytest.approx(100 * 2.1 / 3)
    assert found['clicks/NoC@85'] == pytest.approx((2 + 4 + 1) / 3)  # the second never does
    assert found['clicks/failed@85'] == pytest.approx(100 / 3)
    assert 'clicks/IoU@5' not in found  # there were four


@pytest.mark.parametrize('clicks', [(0, 1), (-1,)])
def test_senseless_clicks(clicks):
    with pytest.raises(ValueError, match='from 1 on'):
        ClickMetric(clicks=clicks)


def test_predictions_of_a_model_that_does_not_click():
    with pytest.raises(ValueError, match='ClickedOVSAM'):
        ClickMetric().process({}, [dict(pred_instances={})])
