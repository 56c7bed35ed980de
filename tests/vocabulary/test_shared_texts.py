from ovsam.vocabulary import Vocabulary, build_vocabulary, shared_texts


def test_nothing_is_shared():
    assert shared_texts(Vocabulary(['cat'])) == {}


def test_names_with_the_same_text():
    vocabulary = Vocabulary(['sofa/couch', 'Couch', 'cat'], {'cat': ['cat', 'SOFA']})
    assert shared_texts(vocabulary) == {
        'sofa': ('sofa/couch', 'cat'),
        'couch': ('sofa/couch', 'Couch'),
    }


def test_merged_packs_share_some():
    assert shared_texts(build_vocabulary('lvis+objects365'))['handbag'] == (
        'handbag',
        'handbag/satchel',
    )
