"""One server for the annotation page, X-AnyLabeling, Label Studio, and whatever speaks JSON.

:mod:`.gate` stands before all of them and says who may come in, and how many; :mod:`.turns` lets
one after the other to the model. :mod:`.json_api` is for programs; the tools'
protocols are in :mod:`~ovsam.serving.any_labeling` and :mod:`~ovsam.serving.label_studio`.
Needs ``pip install ".[serve]"``.
"""
