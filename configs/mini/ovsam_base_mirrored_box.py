# The paper's protocol, fused; masks from the mirrored image, too; boxes.
_base_ = ['./ovsam_base_box.py']

model = dict(type='MirroredOVSAM')
