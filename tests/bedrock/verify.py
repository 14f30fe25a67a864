#!/usr/bin/env python3
"""A server that speaks as Amazon Bedrock does, with Amazon's own code to judge what it is asked.

botocore recomputes the signature of each request as it arrived (method, path, query, signed headers, body), says how it
would write the path itself, and validates the body of Converse against the API's model. What is wrong is refused as Amazon
refuses it, and a line on standard output tells of each request: its path, and `ok` or what is wrong.

    verify.py PORT_FILE
"""

import hashlib
import hmac
import itertools
import json
import pathlib
import re
import sys
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

REGION = "eu-central-1"
KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+of=the-test")
SKEW = timedelta(minutes=5)
SESSION = botocore.session.get_session()
CONVERSE = SESSION.get_service_model("bedrock-runtime").operation_model("Converse").input_shape
THROTTLED = itertools.count()


class Wrong(Exception):
    """What is wrong with a request: the type of Amazon's error, and why."""


def verify_signature(method, target, headers, body):
    """That the request has a signature by KEY, made now."""
    authorization = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/bedrock/aws4_request, SignedHeaders=([^,]+), Signature=(\w{64})",
        headers.get("authorization", ""),
    )
    if not authorization:
        raise Wrong("MissingAuthenticationTokenException", "there is no signature")
    key, day, region, signed, signature = authorization.groups()
    if (key, region) != (KEY.access_key, REGION) or headers.get("x-amz-security-token") != KEY.token:
        raise Wrong("UnrecognizedClientException", "The security token included in the request is invalid.")
    made = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if not headers["x-amz-date"].startswith(day) or abs(datetime.now(timezone.utc) - made) > SKEW:
        raise Wrong("InvalidSignatureException", f"Signature expired: {headers['x-amz-date']}")
    if headers.get("x-amz-content-sha256") != hashlib.sha256(body).hexdigest():
        raise Wrong("InvalidSignatureException", "the hash is not that of the body")
    missing = {"host", "x-amz-date", "x-amz-security-token"} - set(signed.split(";"))
    if missing:
        raise Wrong("InvalidSignatureException", f"{missing} are not signed")
    request = AWSRequest(method, f"http://{headers['host']}{target}", data=body)
    for name in signed.split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(KEY, "bedrock", REGION)
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    if not hmac.compare_digest(expected, signature):
        raise Wrong(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )


def path_of_botocore(model):
    """The path to which Amazon's own client sends a Converse for a model."""
    client = SESSION.create_client(
        "bedrock-runtime", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b", endpoint_url="http://unused"
    )
    paths = []

    def keep(request, **_):
        paths.append(urlsplit(request.url).path)
        raise StopIteration

    client.meta.events.register("before-send", keep)
    try:
        client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": "?"}]}])
    except StopIteration:
        pass
    return paths[0]


def verify_converse(path, body):
    """That path and body are as the API's model has them."""
    model = unquote(path.removeprefix("/model/").removesuffix("/converse"))
    if path != path_of_botocore(model):
        raise Wrong("ValidationException", f"botocore asks for {path_of_botocore(model)}")
    errors = ParamValidator().validate({"modelId": model, **body}, CONVERSE)
    if errors.has_errors():
        raise Wrong("ValidationException", errors.generate_report())
    roles = [message["role"] for message in body["messages"]]
    if roles[0] != "user" or any(role == after for role, after in zip(roles, roles[1:])):
        raise Wrong("ValidationException", f"A conversation must alternate between user and assistant roles: {roles}")


def filled(schema):
    """A value that keeps to a schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: filled(part) for name, part in schema["properties"].items()}
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    return {"number": 5, "integer": 5, "string": "The evidence says so."}.get(kind)


def answer(body):
    """The content of the next message, and why it ends."""
    text_format = body.get("outputConfig", {}).get("textFormat")
    if text_format:
        schema = json.loads(text_format["structure"]["jsonSchema"]["schema"])
        return [{"text": json.dumps(filled(schema))}], "end_turn"
    tools = [tool["toolSpec"]["name"] for tool in body.get("toolConfig", {}).get("tools", [])]
    results = [block for message in body["messages"] for block in message["content"] if "toolResult" in block]
    if tools and not results:
        reasoning = {"reasoningText": {"text": "The figures first.", "signature": "c2lnbmVk"}}
        call = {"toolUseId": "tooluse_1", "name": "get_verified_market_snapshot", "input": {}}
        return [{"reasoningContent": reasoning}, {"toolUse": call}], "tool_use"
    return [{"text": "The evidence is mixed, but the trend holds."}], "end_turn"


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def judged(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        try:
            verify_signature(self.command, self.path, headers, body)
            if self.command == "GET":
                reply = {"status": "ACTIVE"}
            else:
                body = json.loads(body)
                verify_converse(self.path, body)
                if next(THROTTLED) == 0:
                    raise Wrong("ThrottlingException", "Too many requests, please wait before trying again.")
                content, stop_reason = answer(body)
                usage = {"inputTokens": 60, "outputTokens": 10, "totalTokens": 110, "cacheReadInputTokens": 40}
                reply = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop_reason}
                reply |= {"usage": usage, "metrics": {"latencyMs": 1}}
            self.reply(200, reply)
            told = "ok" + (" with results of tools" if b"toolResult" in json.dumps(body, default=str).encode() else "")
        except Wrong as wrong:
            kind, message = wrong.args
            status = {"ThrottlingException": 429, "ValidationException": 400}.get(kind, 403)
            self.reply(status, {"message": message}, kind)
            told = f"{kind}: {message}"
        print(self.command, self.path, told, flush=True)

    do_GET = do_POST = judged

    def reply(self, status, value, kind=None):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if kind:
            self.send_header("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    port_file = pathlib.Path(sys.argv[1])
    port_file.with_suffix(".new").write_text(str(server.server_port))
    port_file.with_suffix(".new").rename(port_file)
    server.serve_forever()
