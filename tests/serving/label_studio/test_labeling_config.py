"""Labelling configurations: where masks go, and what is said where they cannot."""

import pytest

from ovsam.serving.label_studio.labeling_config import control_for, parse_labeling_config

BRUSH = '<BrushLabels name="b" toName="i"><Label value="cat"/></BrushLabels>'
IMAGE = '<Image name="i" value="$image"/>'


def test_the_brush_of_an_image(config):
    (control,) = parse_labeling_config(config)
    assert (control.from_name, control.to_name, control.data_key) == ('brush', 'image', 'picture')
    assert control.names == ('cat', 'dog', 'umbrella')
    assert dict(control.labels)['umbrella'] == 'U'
    assert control.image_of({'picture': ' /data/upload/1.png '}) == '/data/upload/1.png'
    for data in ({}, {'picture': None}, {'picture': ['a']}, {'picture': ''}):
        with pytest.raises(ValueError, match='no image under "picture"'):
            control.image_of(data)


def test_nested_tags_and_several_images():
    controls = parse_labeling_config(
        f'<View><View style="x">{IMAGE}<Image name="j" value="$other"/></View>{BRUSH}'
        '<BrushLabels name="c" toName="j"><View><Label value="dog"/></View></BrushLabels></View>'
    )
    assert [(each.from_name, each.to_name) for each in controls] == [('b', 'i'), ('c', 'j')]
    assert control_for(controls, 'j').names == ('dog',)
    assert control_for(controls, None).to_name == 'i'
    with pytest.raises(ValueError, match='for the image "k"; it has one for'):
        control_for(controls, 'k')


@pytest.mark.parametrize(
    'text, said',
    [
        ('', 'no labelling configuration'),
        (None, 'no labelling configuration'),
        ('<View>', 'not XML'),
        ('<View/>', 'no <BrushLabels>'),
        (f'<View>{IMAGE}</View>', 'no <BrushLabels>'),
        (f'<View>{BRUSH}</View>', 'no <BrushLabels>'),
        (f'<View>{IMAGE}<BrushLabels name="b" toName="i"/></View>', 'has no labels'),
        (
            f'<View>{IMAGE}<BrushLabels toName="i"><Label value="a"/></BrushLabels></View>',
            'no name',
        ),
        (f'<View>{IMAGE}{IMAGE}{BRUSH}</View>', "more than one <Image> of the name 'i'"),
        (f'<View>{IMAGE}{BRUSH}{BRUSH}</View>', "more than one <BrushLabels> of the name 'b'"),
        (
            f'<View>{IMAGE}<BrushLabels name="b" toName="i"><Label value="cat" alias="x"/>'
            '<Label value="cat" alias="y"/></BrushLabels></View>',
            "alias of the label 'cat'",
        ),
        (f'<View><Image name="i" valueList="$images"/>{BRUSH}</View>', 'one image of the task'),
        (f'<View>{IMAGE}{BRUSH}</View>' + ' ' * 4_000_000, 'characters'),
        ('<!DOCTYPE a [<!ENTITY b "bb">]><View>&b;</View>', 'declaration'),
    ],
)
def test_what_is_wrong_is_said(text, said):
    with pytest.raises(ValueError, match=said):
        parse_labeling_config(text)


def test_labels_are_cleaned_but_answered_as_they_are():
    (control,) = parse_labeling_config(
        '<View><Image name="i" value="$p"/><BrushLabels name="b" toName="i">'
        '<Label value="traffic\u00a0light "/><Label value="traffic light" alias="second"/>'
        '<Label value="\u200b"/></BrushLabels></View>'
    )
    assert control.labels == (('traffic light', 'traffic\u00a0light '),)
