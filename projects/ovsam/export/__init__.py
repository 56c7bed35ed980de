"""Models as ONNX graphs, which run without torch: see the package ``ovsam_onnx``."""
