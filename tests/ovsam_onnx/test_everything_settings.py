from ovsam_onnx.everything_settings import EverythingSettings, point_grid


def test_point_grid():
    assert point_grid(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


def test_crops_have_their_own_points():
    whole = ((0, 0, 40, 30), 8)
    assert EverythingSettings(points_per_side=8).crops((30, 40)) == [whole]
    settings = EverythingSettings(
        points_per_side=8, crop_n_layers=1, crop_n_points_downscale_factor=2, crop_overlap_ratio=0
    )
    assert settings.crops((30, 40)) == [
        whole,
        ((0, 0, 20, 15), 4),
        ((20, 0, 40, 15), 4),
        ((0, 15, 20, 30), 4),
        ((20, 15, 40, 30), 4),
    ]
