import torch

from tools import export_checkpoint


def save(path, **state):
    torch.save({'state_dict': state}, path)
    return path


def load(path):
    return torch.load(path, weights_only=True)['state_dict']


def test_half_precision_and_new_prefix(tmp_path, capsys):
    source = save(
        tmp_path / 'a.pth',
        **{
            'clip.weight': torch.ones(2),
            'clip.count': torch.tensor(3),
            'head.weight': torch.zeros(1),
        },
    )
    assert export_checkpoint.main(['--out', str(tmp_path / 'out.pth'), f'{source},clip.=new.']) == 0
    state = load(tmp_path / 'out.pth')
    assert set(state) == {'new.weight', 'new.count'}
    assert state['new.weight'].dtype == torch.float16
    assert state['new.count'].dtype == torch.int64
    assert '2 tensors' in capsys.readouterr().out
    assert export_checkpoint.main(['--out', str(tmp_path / 'out.pth'), f'{source},clip.=']) == 0
    assert set(load(tmp_path / 'out.pth')) == {'weight', 'count'}


def test_later_sources_are_averaged_in(tmp_path):
    one = save(tmp_path / 'a.pth', w=torch.zeros(2), only=torch.ones(1))
    two = save(tmp_path / 'b.pth', w=torch.ones(2))
    export_checkpoint.main(
        ['--out', str(tmp_path / 'out.pth'), str(one), str(two), '--weight', '0.75']
    )
    state = load(tmp_path / 'out.pth')
    assert state['w'].tolist() == [0.75, 0.75]
    assert state['only'].tolist() == [1.0]


def test_a_work_dir_stands_for_its_last_checkpoint(tmp_path):
    path = save(tmp_path / 'iter_2.pth', w=torch.ones(1))
    (tmp_path / 'last_checkpoint').write_text(str(path))
    export_checkpoint.main(['--out', str(tmp_path / 'out.pth'), str(tmp_path)])
    assert load(tmp_path / 'out.pth')['w'].tolist() == [1.0]


def test_errors_name_what_is_there(tmp_path, capsys):
    source = save(tmp_path / 'a.pth', **{'neck.weight': torch.ones(2)})
    (tmp_path / 'empty').mkdir()
    for wrong, message in (
        (f'{source},clip.', "no key that starts with 'clip.'; it has neck"),
        (f'{tmp_path}/empty', 'no training has saved there'),
        (f'{tmp_path}/nowhere.pth', "nowhere.pth' does not exist"),
    ):
        assert export_checkpoint.main(['--out', str(tmp_path / 'out.pth'), wrong]) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert line.startswith('export_checkpoint: ') and message in line
    assert not (tmp_path / 'out.pth').exists()


def test_what_cannot_be_halved_or_merged(tmp_path, capsys):
    large = save(tmp_path / 'a.pth', **{'a.w': torch.tensor([1.0, -7e4, torch.inf])})
    other = save(tmp_path / 'b.pth', **{'a.w': torch.ones(2)})
    infinite = save(tmp_path / 'c.pth', **{'a.w': torch.tensor([torch.inf, 1.0])})
    out = ['--out', str(tmp_path / 'out.pth')]
    for sources, message in (
        ([large], 'a.w has values beyond 65504, the largest of half precision'),
        ([large, other], 'a.w is (3,) in one source and (2,) in another'),
    ):
        assert export_checkpoint.main([*out, *map(str, sources)]) == 2
        assert message in capsys.readouterr().err
    assert export_checkpoint.main([*out, str(infinite)]) == 0
    assert load(tmp_path / 'out.pth')['a.w'].tolist() == [torch.inf, 1.0]


def test_what_modules_share_is_stored_once(tmp_path):
    weight = torch.rand(64, 64)
    shared, apart = tmp_path / 'shared.pth', tmp_path / 'apart.pth'
    torch.save(dict(state_dict=dict(a=weight, b=weight, c=torch.zeros(0))), shared)
    torch.save(dict(state_dict=dict(a=weight, b=weight.clone())), apart)
    sizes = []
    for path in (shared, apart):
        out = tmp_path / f'out_{path.name}'
        assert export_checkpoint.main([str(path), '--out', str(out)]) == 0
        state = torch.load(out, weights_only=True)['state_dict']
        assert torch.equal(state['a'], state['b']) and torch.equal(state['a'], weight.half())
        sizes.append(out.stat().st_size)
    assert sizes[0] < 0.7 * sizes[1]
