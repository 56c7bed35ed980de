import torch

from ovsam.parts.mask_decoder import SAMMaskDecoder
from ovsam.parts.prompt_encoder import SAMPromptEncoder


def attention_on(decoder, prompt_encoder, cell):
    """Mean attention (h * w,) of a token with a cell's own position encoding, over the heads."""
    attention = decoder.transformer.layers[0].cross_attn_token_to_image
    image_pe = prompt_encoder.dense_pe().flatten(2).transpose(1, 2)
    query = attention.q_proj(image_pe[:, cell]).reshape(attention.num_heads, 1, -1)
    key = (
        attention.k_proj(image_pe[0])
        .reshape(len(image_pe[0]), attention.num_heads, -1)
        .transpose(0, 1)
    )
    logits = query @ key.transpose(1, 2) / key.shape[-1] ** 0.5
    return logits.softmax(-1).mean(dim=(0, 1))


def test_tokens_start_by_looking_where_they_point():
    torch.manual_seed(0)
    prompt_encoder = SAMPromptEncoder(embed_dims=64, image_size=128, embedding_stride=8)
    plain, local = (
        SAMMaskDecoder(
            embed_dims=64,
            transformer={'depth': 1, 'num_heads': 4, 'mlp_dim': 16, 'downsample': 1},
            init_cfg=init_cfg,
        )
        for init_cfg in (None, {'type': 'LocalAttentionInit', 'std': 0.2})
    )
    local.init_weights()
    cell = 16 * 5 + 9
    assert attention_on(plain, prompt_encoder, cell)[cell] < 0.1
    assert attention_on(local, prompt_encoder, cell).argmax() == cell
    assert attention_on(local, prompt_encoder, cell)[cell] > 0.2
