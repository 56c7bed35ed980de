"""Names by example: the space that regions are compared in, and banks that know examples."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from ovsam.naming.examples import Examples, ExampleSpace
from ovsam.naming.name_bank import NameBank
from ovsam.naming.taught_file import taught_file, with_taught_file
from ovsam.vocabulary import Vocabulary

CHANNELS = 6


def rows(*shape, seed=0):
    return F.normalize(torch.randn(*shape, CHANNELS, generator=torch.manual_seed(seed)), dim=-1)


def bank_of(*names, space=None):
    table = rows(len(names), seed=9)
    bank = NameBank(Vocabulary(names), table, torch.ones(len(names), dtype=torch.long))

    def embed(vocabulary):
        return bank_of(*vocabulary.names)

    return NameBank(bank.vocabulary, table, bank.counts, embed, space=space)


@pytest.fixture
def space():
    return ExampleSpace(CHANNELS)


@pytest.fixture
def bank(space):
    return bank_of('cat', 'dog', 'cup', space=space)


def test_nothing_is_taught(bank):
    assert bank.taught({}) is bank and bank.taught_names == {}
    assert not bank.known[1:].any() or bank.vocabulary.seen.all()


def test_whitening_takes_off_what_all_have_and_what_names_vary_by():
    """Two names that differ in one direction, and vary in another one much more."""
    generator = torch.manual_seed(0)
    labels = torch.arange(400) % 2
    regions = torch.zeros(400, 2, CHANNELS)
    regions[..., 0] = 10  # of all
    regions[..., 1] = 12 * torch.randn(400, 2, generator=generator)  # of chance
    regions[..., 2] = 2.0 * labels[:, None] - 1  # of the name
    regions += 0.1 * torch.randn(400, 2, CHANNELS, generator=generator)
    regions = F.normalize(regions, dim=-1)

    def nearest(space):
        made = space(regions)
        means = torch.stack([made[:200][labels[:200] == name].mean(dim=0) for name in (0, 1)])
        found = torch.einsum('nec,kec->nek', made[200:], F.normalize(means, dim=-1)).argmax(dim=-1)
        return (found == labels[200:, None]).float().mean().item()

    space = ExampleSpace(CHANNELS)
    before = nearest(space)
    space.fit(regions[:200], labels[:200], ridge=0.1)
    assert before < 0.8 and nearest(space) > 0.97
    for few in (0, 2):
        with pytest.raises(ValueError, match='no name has two regions'):
            space.fit(regions[:few], labels[:few])


def test_fewer_directions_are_those_that_vary_most():
    """With all that vary, cosines are as with all there are."""
    generator = torch.manual_seed(0)
    labels = torch.arange(60) % 3
    regions = torch.randn(3, 1, CHANNELS, generator=generator)[labels].repeat(1, 2, 1)
    regions[..., :2] += torch.randn(60, 2, 2, generator=generator)
    whole, two, one = (ExampleSpace(CHANNELS, rank=rank) for rank in (None, 2, 1))
    for space in (whole, two, one):
        space.fit(regions, labels)
    torch.testing.assert_close(two(regions), whole(regions))
    assert not torch.allclose(one(regions), whole(regions), atol=0.01)


@pytest.mark.parametrize('rank', [0, CHANNELS + 1])
def test_no_such_rank(rank):
    with pytest.raises(ValueError, match=f'rank is {rank}: expected one from 1 to the {CHANNELS}'):
        ExampleSpace(CHANNELS, rank=rank)


def test_a_taught_name_costs_one_row_and_adds_up(bank):
    first, second = rows(3, 2), rows(1, 2, seed=1)
    once = bank.taught({'gizmo': torch.cat([first, second])})
    twice = bank.taught({'gizmo': first}).taught({'gizmo': second})
    for taught in (once, twice):
        assert taught.vocabulary.names == ('cat', 'dog', 'cup', 'gizmo')
        assert taught.taught_names == {'gizmo': 4} and len(taught.examples.sums) == 1
        assert not taught.examples.with_text.any()  # its text came with its examples
        assert taught.known[3] and not taught.vocabulary.seen[3]
    torch.testing.assert_close(once.examples.sums, twice.examples.sums)
    assert bank.examples is None


def test_a_name_of_the_vocabulary_keeps_its_text(bank):
    taught = bank.taught({'dog': rows(2, 2)}).taught({'cat': rows(1, 2)}, with_text=False)
    assert taught.vocabulary is bank.vocabulary
    assert taught.examples.places.tolist() == [0, 1]
    assert taught.examples.with_text.tolist() == [False, True]
    assert taught.extended(['pen']).taught_names == {'cat': 1, 'dog': 2}


def test_logits_by_example(bank, space):
    """Cosines with four examples are taken as they are, with fewer they count for more."""
    taught = bank.taught({'dog': rows(4, 2), 'gizmo': rows(1, 2, seed=3)})
    regions, logits = rows(5, 2, seed=4), torch.randn(5, 2, 5)
    found = space.by_example(logits, regions, taught.examples, factor=100.0)
    cosines = torch.einsum('nec,rec->ner', regions, F.normalize(taught.examples.sums, dim=-1))
    for place, row, gain in ((1, 0, 1.0), (3, 1, (4 / 2.5) ** 0.5)):
        expected = 100 * (space.scale * gain * cosines[..., row] - space.shift)
        torch.testing.assert_close(found[..., place], expected)
    assert torch.equal(found[..., [0, 2, 4]], logits[..., [0, 2, 4]])


def test_sums_of_few_and_of_many_examples_are_as_near(space):
    around = F.normalize(torch.ones(CHANNELS), dim=0)
    cloud = torch.randn(20_000, CHANNELS, generator=torch.Generator().manual_seed(0))
    cloud = F.normalize(around + cloud / CHANNELS**0.5, dim=1)
    space.likeness = (cloud[:10_000] @ cloud[10_000:].mean(dim=0)).mean().item()

    def nearness(count):
        sums = F.normalize(cloud[: 1000 * count].unflatten(0, (1000, count)).sum(dim=1), dim=1)
        gain = space._gain(torch.tensor(count))
        return (gain * (sums * cloud[-1000:]).sum(dim=1).mean()).item()

    assert nearness(1) == pytest.approx(nearness(4), abs=0.02)
    assert nearness(16) == pytest.approx(nearness(4), abs=0.02)


def test_the_say_of_texts(bank, space):
    """Of n examples and a text that counts for four, the text has 4 / (n + 4)."""
    taught = bank.taught({'dog': rows(4, 2), 'gizmo': rows(1, 2, seed=3)})
    assert space.text_shares(taught.examples, 5).tolist() == [0.25, 0.5, 0.25, 0.0, 0.25]


def test_an_embedding_of_zeros_has_no_opinion(bank, space):
    examples = bank.taught({'dog': rows(1, 2)}).examples
    regions = rows(2, 2)
    regions[0, 1] = 0
    found = space.by_example(torch.zeros(2, 2, 4), regions, examples, factor=100.0)
    assert not found[0, 1].any() and found[0, 0].any() and found[1, 1].any()


def test_what_cannot_be_taught(bank):
    with pytest.raises(ValueError, match='no example of gizmo'):
        bank.taught({'gizmo': rows(0, 2)})
    with pytest.raises(ValueError, match='do not belong to this model'):
        bank.taught({'gizmo': torch.zeros(1, 2, CHANNELS + 1)})
    with pytest.raises(ValueError, match='has no example_space'):
        bank_of('cat', 'dog').taught({'gizmo': rows(1, 2)})


def test_ten_thousand_names(space):
    bank = bank_of('cat', space=space)
    names = [f'part {number}' for number in range(10_000)]
    regions = rows(10_000, 2, seed=2)
    taught = bank.taught({name: regions[[place]] for place, name in enumerate(names)})
    assert len(taught) == 10_001 and len(taught.examples.sums) == 10_000
    found = space.by_example(torch.zeros(3, 2, 10_002), regions[:3], taught.examples, factor=100.0)
    assert found[..., 1:-1].argmax(dim=-1).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_a_file(bank, space, tmp_path):
    path = tmp_path / 'names.safetensors'
    taught = bank.taught({'dog': rows(4, 2), 'gizmo': rows(1, 2, seed=3)})
    path.write_bytes(taught_file(taught))
    other = bank_of('pen', 'dog', space=space).taught({'dog': rows(1, 2)})
    loaded = with_taught_file(other, path)
    assert loaded.vocabulary.names == ('pen', 'dog', 'gizmo')
    assert loaded.taught_names == {'dog': 5, 'gizmo': 1}
    assert loaded.examples.with_text.tolist() == [True, False]
    torch.testing.assert_close(loaded.examples.sums[1], taught.examples.sums[1])


def test_files_that_are_not_of_this_model(bank, tmp_path):
    path = tmp_path / 'names.safetensors'
    with pytest.raises(ValueError, match='nothing to save'):
        taught_file(bank)
    with pytest.raises(FileNotFoundError, match='names.safetensors'):
        with_taught_file(bank, path)
    path.write_bytes(b'no such thing')
    with pytest.raises(ValueError, match='is no safetensors file'):
        with_taught_file(bank, path)
    path.write_bytes(taught_file(bank.taught({'dog': rows(1, 2)})))
    another = ExampleSpace(CHANNELS)
    another.mean += 1
    with pytest.raises(ValueError, match='was taught to another model'):
        with_taught_file(bank_of('cat', space=another), path)


def test_taught_names_that_are_one_name_here(space, bank):
    taught = bank.taught({'dog': rows(2, 2), 'hound': rows(3, 2, seed=1)})
    here = bank_of('pen', 'dog', space=space)
    here = replace(here, vocabulary=Vocabulary(['pen', 'dog'], aliases={'dog': ['hound']}))
    found = here.taught_as(taught)
    assert found.examples.places.tolist() == [1] and found.taught_names == {'dog': 5}
    assert found.examples.with_text.tolist() == [True]
    torch.testing.assert_close(found.examples.sums, taught.examples.sums.sum(dim=0, keepdim=True))


def test_rows_that_both_have_are_one():
    none, all_of_them = torch.zeros(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool)
    sums = torch.ones(2, 1, 1)
    one = Examples(torch.tensor([0, 2]), sums, torch.tensor([1, 2]), none)
    two = Examples(torch.tensor([1, 2]), sums, torch.tensor([3, 4]), all_of_them)
    both = one.merged(two)
    assert both.places.tolist() == [0, 1, 2] and both.counts.tolist() == [1, 3, 6]
    assert both.sums.flatten().tolist() == [1, 1, 2]
    assert both.with_text.tolist() == [False, True, True]
    assert two.merged(one).with_text.tolist() == [False, True, False]
