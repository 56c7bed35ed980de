"""The annotation page: its files in ``static``, which a browser runs, and what they ask for.

Objects, corrections and their history are the browser's. The server segments, names and teaches
(:mod:`~ovsam.serving.server.json_api`), lists pictures, and keeps what was annotated in a folder.
"""
