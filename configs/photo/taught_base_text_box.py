# The same, with the novel names' texts as well: text and four examples each.
_base_ = ['./taught_base_box.py']

model = dict(with_text=True)
