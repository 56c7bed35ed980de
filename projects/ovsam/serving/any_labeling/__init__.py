"""X-AnyLabeling's remote server: what the client of that tool asks, and what it reads.

The client sends the whole picture with every request, all marks that are drawn at the moment, in
pixels, and words if the user typed some. It shows the shapes that come back, beside those that are
there. Read for this: ``remote_server.py`` of X-AnyLabeling, and what X-AnyLabeling-Server documents
of its routes and of its configuration.
"""
