import pytest

from ovsam.benchmarks.complexity import count_complexity, total_complexity
from ovsam.benchmarks.random_model import build_random_model
from ovsam.benchmarks.record import make_record
from ovsam.benchmarks.report import precisions


@pytest.fixture
def method(methods):
    return methods('image_crop_box', options={'model.vocabulary.group': 'split'})[0]


def test_a_method_is_measured_once(method, tmp_path, monkeypatch):
    built = []

    def build():
        built.append(build_random_model(method.cfg))
        return built[-1]

    record = make_record(method, tmp_path, build, repeat=1)
    assert 0 <= record.metrics['ov/IoU_b'] <= 100
    assert record.metrics['ov/num_b'] + record.metrics['ov/num_n'] > 0
    assert 0 <= record.metrics['coco/segm_mAP'] <= 1
    total = total_complexity(count_complexity(method.cfg))
    assert (record.parameters, record.image_operations) == (total.parameters, total.image)
    assert record.prompt_operations == total.prompt > 0
    assert record.image_seconds > 0 and record.prompt_seconds > 0
    again = make_record(method, tmp_path, build, repeat=1)
    # A mean over nothing is nan, which equals nothing.
    assert str(again) == str(record)
    assert len(built) == 1
    monkeypatch.setattr('torch.get_num_threads', lambda: 99)  # times are of another machine then
    make_record(method, tmp_path, build, repeat=1)
    assert len(built) == 2


def test_a_metric_without_a_value_is_null_in_the_file(method, tmp_path, monkeypatch):
    figures = {'ov/Acc_n': float('nan'), 'ov/Acc_b': 5.0, 'found/AP': float('nan')}
    monkeypatch.setattr('ovsam.benchmarks.record.evaluate', lambda *_: dict(figures))
    made = [
        make_record(method, tmp_path, lambda: build_random_model(method.cfg), repeat=0)
        for _ in range(2)
    ]
    (file,) = tmp_path.iterdir()
    assert 'NaN' not in file.read_text() and file.read_text().count('null') == 4
    assert str(made[0].metrics) == str(made[1].metrics) == str(figures)
    assert precisions(made[1].metrics).keys() == {'mask AP'}


def test_without_times(method, tmp_path, monkeypatch):
    monkeypatch.setattr('ovsam.benchmarks.record.evaluate', lambda *_: {'ov/IoU_b': 50.0})
    record = make_record(method, tmp_path, lambda: build_random_model(method.cfg), repeat=0)
    assert record.image_seconds is None and record.parameters > 0


def test_a_model_without_prompts_of_its_own_has_no_cost(methods, tmp_path, monkeypatch):
    (method,) = methods('image_crop_box')
    monkeypatch.setattr('ovsam.benchmarks.record.evaluate', lambda *_: {'coco/segm_mAP': 0.5})
    model = build_random_model(method.cfg)
    del method.cfg.model['prompter']
    record = make_record(method, tmp_path, lambda: model)
    assert record.parameters is None and record.metrics == {'coco/segm_mAP': 0.5}
    assert method.prompts == 'detections'


def test_nothing_is_kept_of_a_failure(method, tmp_path):
    def fail():
        raise ValueError('no weights')

    with pytest.raises(ValueError, match='no weights'):
        make_record(method, tmp_path, fail)
    assert not list(tmp_path.iterdir())
