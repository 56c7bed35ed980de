"""Keys of published checkpoints, and what they are called here.

- SAM's files (``image_encoder.*``, ``prompt_encoder.*``, ``mask_decoder.*``) name the layers of
  their vision transformer otherwise than mmpretrain, whose layers this project uses.
- The published OVSAM files hold the adapter under ``neck_student.*``, CLIP2SAM's neck under
  ``fpn_neck.*``, and mask decoder and head together under ``mask_decoder.*``.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

# Published and ours: a transformer layer's parts, and what surrounds the layers of SAM's encoder.
_VIT_LAYER = (
    ('.norm1.', '.ln1.'),
    ('.norm2.', '.ln2.'),
    ('.mlp.lin1.', '.ffn.layers.0.0.'),
    ('.mlp.lin2.', '.ffn.layers.1.'),
)
_VIT_FRAME = (
    ('blocks.', 'layers.'),
    ('patch_embed.proj.', 'patch_embed.projection.'),
    ('neck.', 'channel_reduction.'),
)
_OVSAM_PARTS = {
    'neck_student.': 'neck.',
    'fpn_neck.': 'label_head.fpn.',
    'mask_decoder.mask_decoder.': 'mask_decoder.',
    'mask_decoder.label_token.': 'mask_decoder.label_token.',
    'mask_decoder.roi_conv.0.conv.': 'label_head.projection.',
    'mask_decoder.label_mlp.': None,  # stored, but never used by the published model
}


def vit_layer_key(key: str, *, back: bool = False) -> str:
    """``blocks.0.mlp.lin1.weight`` as mmpretrain's layer calls it, or back; others unchanged.

    Only keys of the list ``blocks`` are touched, so the function may see its own output.
    """
    if key.startswith('blocks.'):
        for pair in _VIT_LAYER:
            key = key.replace(*(pair[::-1] if back else pair))
    return key


def sam_image_encoder_key(key: str) -> str:
    """A key of SAM's ``image_encoder`` as mmpretrain's ``ViTSAM`` calls it."""
    key = vit_layer_key(key)
    for published, ours in _VIT_FRAME:
        if key.startswith(published):
            return ours + key[len(published) :]
    return key


def published_sam_image_encoder_key(key: str) -> str:
    """The inverse of :func:`sam_image_encoder_key`."""
    for published, ours in _VIT_FRAME:
        if key.startswith(ours):
            return vit_layer_key(published + key[len(ours) :], back=True)
    return key


def ovsam_key(key: str) -> str | None:
    """What a key of a published OVSAM checkpoint is called here.

    Returns:
        The key, or None for weights that the published model stores but never uses.

    Raises:
        KeyError: If it belongs to none of the known parts.
    """
    for published, ours in _OVSAM_PARTS.items():
        if key.startswith(published):
            return None if ours is None else ours + vit_layer_key(key[len(published) :])
    raise KeyError(key)


def published_ovsam_key(key: str) -> str:
    """The inverse of :func:`ovsam_key`.

    Raises:
        KeyError: If the key belongs to none of the parts that OVSAM learns.
    """
    # The longest prefix counts: the label token lies beside the decoder in published files.
    ours = {ours: published for published, ours in _OVSAM_PARTS.items() if ours is not None}
    for prefix in sorted(ours, key=len, reverse=True):
        if key.startswith(prefix):
            return ours[prefix] + vit_layer_key(key[len(prefix) :], back=True)
    raise KeyError(key)


def rename_in_place(
    state_dict: dict[str, Tensor], prefix: str, rename: Callable[[str], str]
) -> None:
    """Applies ``rename`` to what follows ``prefix`` in the keys that start with it."""
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[prefix + rename(key[len(prefix) :])] = state_dict.pop(key)


def drop_other_parts(state_dict: dict[str, Tensor], prefix: str, parts: tuple[str, ...]) -> None:
    """Removes keys under ``prefix`` whose next name is none of ``parts``.

    For a module that holds one tower of a CLIP and is given the state dict of both.
    """
    for key in [key for key in state_dict if key.startswith(prefix)]:
        if key[len(prefix) :].split('.')[0] not in parts:
            del state_dict[key]
