"""Serves moto on a loopback port and says which, with a front for CloudWatch's CBOR protocol.

moto knows CloudWatch in the query and JSON protocols only; current SDKs speak Smithy's RPC v2 CBOR.
The front translates between CBOR and JSON with the shapes of botocore, so that times and
fractional numbers have the types a strict client asks for.
"""

import argparse
import datetime
import io
import json
import sys

import botocore
import botocore.loaders
import botocore.model
import cbor2
from moto.cloudwatch.responses import CloudWatchResponse
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

SERVICE = "GraniteServiceVersion20100801"
PREFIX = f"/service/{SERVICE}/operation/"
MODEL = botocore.model.ServiceModel(
    botocore.loaders.Loader().load_service_model("cloudwatch", "service-2")
)


def to_json(value):
    """What a CBOR request holds, in the types of the JSON protocol."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: to_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return [to_json(member) for member in value]
    return value


def to_cbor(value, shape):
    """What a JSON answer holds, in the types that the shape asks for."""
    if value is None or shape is None:
        return None
    if shape.type_name == "structure":
        members = {
            name: to_cbor(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
        return members
    if shape.type_name == "list":
        return [to_cbor(member, shape.member) for member in value]
    if shape.type_name == "map":
        return {name: to_cbor(member, shape.value) for name, member in value.items()}
    if shape.type_name == "timestamp":
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
            if value.tzinfo is None:
                value = value.replace(tzinfo=datetime.timezone.utc)
            value = value.timestamp()
        return cbor2.CBORTag(1, float(value))
    if shape.type_name in ("double", "float"):
        return float(value)
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name == "boolean":
        return value if isinstance(value, bool) else value == "true"
    return str(value)


class CborFront:
    """WSGI: CBOR requests are translated, everything else is passed on."""

    def __init__(self, backend):
        self.backend = backend

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return self.backend(environ, start_response)
        operation = path[len(PREFIX) :]
        if not hasattr(CloudWatchResponse, botocore.xform_name(operation)):
            # moto itself answers with a page for people and a failure that invites a retry.
            message = f"moto does not know {operation}"
            answer = {"__type": "InvalidAction", "message": message}
            return self.answer("400 Bad Request", answer, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        parameters = to_json(cbor2.loads(body)) if body else {}
        text = json.dumps(parameters).encode()

        inner = dict(environ)
        inner.update(
            {
                "PATH_INFO": "/",
                "RAW_URI": "/",
                "REQUEST_URI": "/",
                "CONTENT_TYPE": "application/x-amz-json-1.0",
                "CONTENT_LENGTH": str(len(text)),
                "HTTP_X_AMZ_TARGET": f"{SERVICE}.{operation}",
                "wsgi.input": io.BytesIO(text),
            }
        )
        inner.pop("HTTP_SMITHY_PROTOCOL", None)

        answered = {}

        def remember(status, headers, exc_info=None):
            answered.update(status=status, headers=headers)
            return lambda _: None

        answer = json.loads(b"".join(self.backend(inner, remember)) or b"{}")
        if answered["status"].startswith("200"):
            shape = MODEL.operation_model(operation).output_shape
            answer = to_cbor(answer, shape) if shape else {}
        return self.answer(answered["status"], answer, start_response)

    @staticmethod
    def answer(status, content, start_response):
        body = cbor2.dumps(content)
        start_response(
            status,
            [
                ("Content-Type", "application/cbor"),
                ("smithy-protocol", "rpc-v2-cbor"),
                ("Content-Length", str(len(body))),
            ],
        )
        return [body]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    port = parser.parse_args().port
    backend = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", port, CborFront(backend), threaded=True)
    print(f"listening {server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
