"""A second-factor sign-in as a collector of traces sees it."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "metrics"))
from journey import PASSWORD, code, wait  # noqa: E402

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
KINDS = {Span.SPAN_KIND_SERVER: "server", Span.SPAN_KIND_INTERNAL: "internal", Span.SPAN_KIND_CLIENT: "client"}


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP, and keeps the spans."""

    spans = []
    resources = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/traces", self.path
        assert self.headers["content-type"] == "application/x-protobuf", self.headers
        assert self.headers["x-collector-key"] == "of the test", self.headers
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.resources.append({pair.key: pair.value.string_value for pair in resource.resource.attributes})
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        response = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, *_):
        pass


def call(base, path, body, token=None, headers=()):
    headers = {"content-type": "application/json", **dict(headers)}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{base}{path}", data=json.dumps(body).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        return {"status": error.code}


def attributes(span):
    values = {pair.key: pair.value for pair in span.attributes}
    return {key: value.string_value or value.int_value for key, value in values.items()}


def tree(spans, parent=""):
    """The names below a span, in the order of their starts."""
    children = sorted((span for span in spans if span.parent_span_id.hex() == parent), key=lambda span: span.start_time_unix_nano)
    return [(span.name, KINDS[span.kind], tree(spans, span.span_id.hex())) for span in children]


def spans_of(trace_id):
    return [span for span in Collector.spans if span.trace_id.hex() == trace_id]


def check(condition, what):
    if not condition:
        sys.exit(f"{what}\n" + "\n".join(f"{span.trace_id.hex()} {span.parent_span_id.hex()} {span.name}" for span in Collector.spans))


def main():
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="countersign-traces.") as place:
        environment = {
            "PATH": os.environ["PATH"],
            "COUNTERSIGN_LISTEN": f"127.0.0.1:{port}",
            "COUNTERSIGN_DATA_DIR": f"{place}/data",
            "COUNTERSIGN_RATE_LIMITS": "off",
            "COUNTERSIGN_LOG_FORMAT": "json",
            "COUNTERSIGN_TRACES_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-collector-key=of the test",
        }
        with open(f"{place}/log", "w") as log:
            server = subprocess.Popen([sys.argv[1]], cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=log)
            try:
                wait(f"{base}/readyz")
                account = {"email": "ada@example.com", "password": PASSWORD}
                token = call(base, "/api/auth/sign-up/email", {"name": "Ada", **account})["token"]
                uri = call(base, "/api/auth/two-factor/enable", {"password": PASSWORD}, token)["totpURI"]
                step = int(time.time()) // 30
                call(base, "/api/auth/two-factor/verify-totp", {"code": code(uri, step)}, token)
                # The sign-in is part of a trace that the client has begun.
                # Neither its flags nor its own text count.
                traced = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-00", "tracestate": "shop=ada@example.com"}
                challenge = call(base, "/api/auth/sign-in/email", account, headers=traced)["twoFactorToken"]
                second = {"code": code(uri, step + 1)}
                call(base, "/api/auth/two-factor/send-otp", {}, challenge)
                call(base, "/api/auth/two-factor/verify-totp", second, challenge, traced)
                missing = call(base, "/api/auth/nowhere/ada@example.com", {})
                check(missing == {"status": 404}, missing)
            finally:
                # What has not been sent is sent now.
                server.send_signal(signal.SIGTERM)
                ended = server.wait(timeout=30)
        lines = [json.loads(line) for line in open(f"{place}/log")]
    check(ended == 0, f"the server ended with {ended}")
    check(all(resource["service.name"] == "countersign" for resource in Collector.resources), Collector.resources)

    spans = spans_of(TRACE_ID)
    sign_in, verify = tree(spans, PARENT_ID)
    check(sign_in[:2] == ("POST /api/auth/sign-in/email", "server"), sign_in)
    check(verify[:2] == ("POST /api/auth/two-factor/verify-totp", "server"), verify)
    # Each has one handler, and below it what the handler did, in order.
    [(operation, kind, work)] = sign_in[2]
    check((operation, kind) == ("signInEmail", "internal"), sign_in)
    names = [name for name, _, _ in work]
    hashing = [name for name in names if name in ("wait for a hashing thread", "hash")]
    check(hashing == ["wait for a hashing thread", "hash"], names)
    check("complete_sign_in" in names and names.index("complete_sign_in") > names.index("hash"), names)
    [(operation, _, work)] = verify[2]
    names = [name for name, kind, _ in work if kind == "client"]
    check(operation == "twoFactorVerifyTotpPost" and names == ["attempt_second_factor"], verify)
    for span in spans:
        check(span.end_time_unix_nano >= span.start_time_unix_nano, span)
        parents = [parent for parent in spans if parent.span_id == span.parent_span_id]
        for parent in parents:
            check(parent.start_time_unix_nano - 2_000_000 <= span.start_time_unix_nano, (parent, span))
    servers = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    check([attributes(span)["http.response.status_code"] for span in servers] == [200, 200], servers)
    store = next(span for span in spans if span.name == "attempt_second_factor")
    check(attributes(store)["db.system.name"] == "sqlite", store)

    # The log has the trace of each request, whether the client began it or the server.
    served = [line for line in lines if line["msg"] == "request" and line["operation"]]
    check(len(served) == 6 and all(spans_of(line["trace_id"]) for line in served), served)
    check(sum(line["trace_id"] == TRACE_ID for line in served) == 2, served)

    # A message is delivered in a trace of its own; probes have none; nothing names a client.
    [delivery] = [span for span in Collector.spans if span.name == "deliver"]
    check(attributes(delivery)["countersign.result"] == "delivered" and not delivery.parent_span_id, delivery)
    check(not any("readyz" in span.name for span in Collector.spans), "health has a trace")
    check("POST" in [span.name for span in Collector.spans], "the unknown path has no span")
    text = "".join(str(span) for span in Collector.spans)
    check("ada@" not in text and "127.0.0.1" not in text, "a span names a client")
    check(all(span.status.code != Status.STATUS_CODE_ERROR for span in Collector.spans), "a span is an error")
    print(f"{len(Collector.spans)} spans, of which {len(spans)} are the two steps of a sign-in, decoded by opentelemetry-proto")


main()
