# The miniature CLIP: open_clip's own classes in small, and the small world's names.
clip_mean = [123.675, 116.28, 103.53]
clip_std = [58.395, 57.12, 57.375]
mini_clip = dict(
    embed_dim=128,
    vision_cfg=dict(image_size=64, layers=[1, 2, 2, 1], width=24, head_width=32),
    text_cfg=dict(context_length=16, vocab_size=4610, width=64, heads=2, layers=2),
    tokenizer=dict(merges=4096))
templates = ['{}', 'a {}', 'a photo of a {}', 'a picture of a {}', 'a drawing of a {}',
             'a small {}', 'a large {}', 'there is a {} in the scene']
all_names = dict(type='PictogramVocabulary')
