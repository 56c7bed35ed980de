# The paper's protocol, fused; masks from the mirrored image, too; the masks' centre points.
_base_ = ['./ovsam_base_box.py']

model = dict(type='MirroredOVSAM', prompter=dict(type='CenterPointPrompter'))
