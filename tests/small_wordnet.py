"""A WordNet of a few animals and a cup."""

import pytest

LICENCE = '  1 This software and database is being provided to you, the LICENSEE, by\n'
# Synset, words, hypernyms.
SYNSETS = [
    ('00001740', ['entity'], []),
    ('00000010', ['object', 'physical_object'], ['@ 00001740']),
    ('00000011', ['whole', 'unit'], ['@ 00000010']),
    ('00000012', ['artifact'], ['@ 00000011']),
    ('00000013', ['living_thing'], ['@ 00000011']),
    ('00000014', ['animal', 'beast'], ['@ 00000013']),
    ('00000015', ['canine'], ['@ 00000014']),
    ('00000016', ['pet'], ['@ 00000014']),
    ('02084071', ['dog', 'domestic_dog'], ['@ 00000015', '@ 00000016']),
    ('02112826', ['corgi', 'Welsh_corgi'], ['@ 02084071']),
    ('02113023', ['Pembroke', 'Pembroke_Welsh_corgi'], ['@ 02112826']),
    ('02113186', ['Cardigan', 'Cardigan_Welsh_corgi'], ['@ 02112826']),
    ('02086240', ['Shih-Tzu'], ['@ 02084071']),
    ('02121808', ['domestic_cat', 'house_cat'], ['@ 00000016']),
    ('03147509', ['cup'], ['@ 00000012']),
    ('00000017', ['cup', 'cupful'], ['@ 00000010']),
    ('00000018', ['Rin_Tin_Tin'], ['@i 02084071']),
]


def line(offset, words, above):
    fields = [
        offset,
        '05',
        'n',
        f'{len(words):02x}',
        *(f'{word} 0' for word in words),
        f'{len(above) + 1:03d}',
        *(f'{pointer} n 0000' for pointer in above),
        '~ 00001740 n 0000',
        '| a gloss; "with @ 00000010 n 0000 in it"  ',
    ]
    return ' '.join(fields) + '\n'


@pytest.fixture
def data_noun(tmp_path):
    """A file of WordNet's format."""
    path = tmp_path / 'data.noun'
    path.write_text(LICENCE + ''.join(line(*synset) for synset in SYNSETS), encoding='latin-1')
    return path
