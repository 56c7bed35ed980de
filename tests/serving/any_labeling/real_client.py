"""What X-AnyLabeling sends, byte for byte: its ``remote_server.py`` calls ``requests``.

The order of keys, the headers and the escapes are those of that file and of that library;
``test_any_labeling.py`` compares with the library where it is installed.
"""

import base64
import http.client
import json
import socket

THRESHOLDS = {'conf_threshold': 0.0, 'iou_threshold': 0.0, 'epsilon_factor': 0.001}


def payload(model, file, kind='png', **params):
    """The body of a request; ``text_prompt``, ``marks``, ``reset_tracker`` in this order."""
    image = f'data:image/{kind};base64,{base64.b64encode(file).decode("utf-8")}'
    return {'model': model, 'image': image, 'params': {**THRESHOLDS, **params}}


def request_bytes(port, content=None, token='', accept='gzip, deflate', version='2.32.5'):
    """A request: for models without content, else for a prediction."""
    line = 'GET /v1/models' if content is None else 'POST /v1/predict'
    head = [
        f'{line} HTTP/1.1',
        f'Host: localhost:{port}',
        f'User-Agent: python-requests/{version}',
        f'Accept-Encoding: {accept}',
        'Accept: */*',
        'Connection: keep-alive',
        'Content-Type: application/json',
        f'Token: {token}',
    ]
    body = b'' if content is None else json.dumps(content, allow_nan=False).encode('utf-8')
    if content is not None:
        head.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*head, '', '']).encode('latin-1') + body


def answer(port, sent):
    """Send bytes; the status and the JSON that come back."""
    with socket.create_connection(('127.0.0.1', port)) as connection:
        connection.settimeout(120)
        connection.sendall(sent)
        received = http.client.HTTPResponse(connection)
        received.begin()
        return received.status, json.loads(received.read())


def mark(kind, *data, label=1):
    """A mark as the canvas of the client makes it."""
    return {'type': kind, 'data': list(data), 'label': label}


def shown(before, said, replace=False):
    """The shapes of the client's canvas after an answer, as its ``remote_server.py`` and
    ``new_shapes_from_auto_labeling`` make them: labels and points.

    Args:
        before: Shapes that were there.
        said: The answer's JSON.
        replace: The client's own setting, for answers that say nothing.
    """
    data = said.get('data', {})
    new = [(shape['label'], shape['points']) for shape in data.get('shapes', [])]
    if data.get('replace', replace):
        return new
    return [each for each in before if each[0] != 'AUTOLABEL_OBJECT'] + new
