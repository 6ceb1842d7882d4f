"""One HTTP request on a connection of its own: nothing is sent a second time behind the recorder's back."""

import asyncio
import json


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        """The body as an object; an empty one where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def cookies(self):
        """Names and values of the cookies that are set."""
        pairs = (value.split(";", 1)[0].split("=", 1) for name, value in self.headers if name == "set-cookie")
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def header(self, name):
        return next((value for key, value in self.headers if key == name), None)


async def call(port, method, path, body=None, headers=None, timeout=30.0):
    """The response of 127.0.0.1. Raises OSError where the connection ends before it, TimeoutError where it does not come."""
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await exchange(reader, writer, port, method, path, body, headers or {})
        finally:
            writer.close()


async def exchange(reader, writer, port, method, path, body, headers):
    lines = [f"{method} {path} HTTP/1.1", f"host: localhost:{port}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    payload = b"" if body is None else json.dumps(body).encode()
    if body is not None:
        lines += ["content-type: application/json"]
    if method != "GET":
        lines += [f"content-length: {len(payload)}"]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + payload)
    await writer.drain()
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        pairs = [line.split(":", 1) for line in head[1:] if ":" in line]
        fields = [(name.strip().lower(), value.strip()) for name, value in pairs]
        length = next((value for name, value in fields if name == "content-length"), None)
        content = await (reader.readexactly(int(length)) if length is not None else reader.read())
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the connection ended before the response") from error
    return Response(status, fields, content)
