import pytest

from ovsam.parts.published_keys import (
    drop_other_parts,
    ovsam_key,
    published_ovsam_key,
    rename_in_place,
    sam_image_encoder_key,
    vit_layer_key,
)


@pytest.mark.parametrize(
    ('published', 'ours'),
    [
        ('neck_student.pos_embed', 'neck.pos_embed'),
        ('neck_student.blocks.0.norm1.weight', 'neck.blocks.0.ln1.weight'),
        ('neck_student.blocks.4.mlp.lin2.bias', 'neck.blocks.4.ffn.layers.1.bias'),
        ('fpn_neck.fpn_convs.1.conv.bias', 'label_head.fpn.fpn_convs.1.conv.bias'),
        ('mask_decoder.roi_conv.0.conv.weight', 'label_head.projection.weight'),
        ('mask_decoder.label_token.weight', 'mask_decoder.label_token.weight'),
        # The decoder's own transformer keeps SAM's names.
        (
            'mask_decoder.mask_decoder.transformer.layers.0.mlp.lin1.weight',
            'mask_decoder.transformer.layers.0.mlp.lin1.weight',
        ),
    ],
)
def test_published_ovsam_key(published, ours):
    assert ovsam_key(published) == ours
    assert published_ovsam_key(ours) == published


def test_unused_and_unknown_weights():
    assert ovsam_key('mask_decoder.label_mlp.layers.0.weight') is None
    for rename in (ovsam_key, published_ovsam_key):
        with pytest.raises(KeyError, match='backbone.conv1.weight'):
            rename('backbone.conv1.weight')


@pytest.mark.parametrize(
    ('published', 'ours'),
    [
        ('patch_embed.proj.weight', 'patch_embed.projection.weight'),
        ('blocks.10.attn.rel_pos_h', 'layers.10.attn.rel_pos_h'),
        ('blocks.3.mlp.lin1.bias', 'layers.3.ffn.layers.0.0.bias'),
        ('blocks.3.norm2.bias', 'layers.3.ln2.bias'),
        ('neck.2.weight', 'channel_reduction.2.weight'),
    ],
)
def test_sam_image_encoder_key(published, ours):
    assert sam_image_encoder_key(published) == ours
    assert sam_image_encoder_key(ours) == ours


def test_layer_names_change_in_the_list_of_blocks_only():
    assert vit_layer_key('layers.0.norm1.weight') == 'layers.0.norm1.weight'


def test_renaming_respects_the_prefix():
    state_dict = {'a.x': 1, 'b.x': 2}
    rename_in_place(state_dict, 'a.', str.upper)
    assert state_dict == {'a.X': 1, 'b.x': 2}


def test_dropping_respects_the_prefix():
    state_dict = {'a.x.1': 1, 'a.y.1': 2, 'b.y.1': 3}
    drop_other_parts(state_dict, 'a.', ('x',))
    assert state_dict == {'a.x.1': 1, 'b.y.1': 3}
