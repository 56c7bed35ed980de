# CoOp's optimiser: SGD, cosine. Four epochs are about as many steps as its 16 images of each of
# ImageNet's classes took; the paper does not say how long its yardsticks learned.
max_epochs = 4

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = dict(
    type='CosineAnnealingLR',
    by_epoch=True,
    begin=0,
    end=max_epochs,
    T_max=max_epochs,
    convert_to_iter_based=True,
)
