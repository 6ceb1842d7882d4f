"""What Schemathesis does not ask of a response, and this contract promises."""

import json
import re

import schemathesis

# What any HTTP server may send, and the edge does for every response. Every other header has to be in the contract.
HEADERS_OF_THE_TRANSPORT = {
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "keep-alive",
    "pragma",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-request-id",
}

JSON = ("application/json", "application/problem+json")

MILLISECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
FIELD_CODE = re.compile(r"\[([A-Za-z]+)\](.*)", re.DOTALL)


def register(contract):
    """Registers all of them for one contract."""

    def documented(case, response):
        """What is documented for this response; nothing for a method that the path does not have."""
        return contract.response(case.operation.path, response.request.method, response.status_code)

    def is_of_the_operation(case, response):
        return response.request.method in contract.methods(case.operation.path)

    @schemathesis.check
    def never_a_server_error(ctx, response, case):
        # Limits are off and the database is there, so a documented 500 or 503 has no excuse here either.
        assert response.status_code < 500, f"{response.status_code}: {response.text[:200]}"

    @schemathesis.check
    def every_status_is_documented(ctx, response, case):
        # Schemathesis looks away when it has sent another media type; the contract does not.
        if is_of_the_operation(case, response):
            assert documented(case, response), f"{response.status_code} is not documented: {response.text[:200]}"

    @schemathesis.check
    def no_undocumented_field(ctx, response, case):
        content = (documented(case, response) or {}).get("content")
        for schema in (content[media_type]["schema"] for media_type in content or {} if media_type in JSON):
            extra = list(contract.undocumented(response.json(), schema))
            assert not extra, f"not in the contract: {', '.join(extra)}"

    @schemathesis.check
    def no_undocumented_header(ctx, response, case):
        known = HEADERS_OF_THE_TRANSPORT | ({"allow"} if response.status_code == 405 else set()) | {name.lower() for name in (documented(case, response) or {}).get("headers", {})}
        extra = sorted(set(response.headers) - known)
        assert not extra, f"not in the contract: {', '.join(extra)}"

    @schemathesis.check
    def content_as_documented(ctx, response, case):
        documented_response = documented(case, response)
        if documented_response is None:
            return
        content_type = response.headers.get("content-type", [None])[0]
        if "content" in documented_response:
            assert content_type in documented_response["content"], f"content type {content_type}"
            if content_type in JSON:
                json.loads(response.content)
        else:
            assert not response.content, f"a body where none is documented: {response.text[:200]}"
            assert content_type is None, f"no body, but content type {content_type}"

    @schemathesis.check
    def unknown_methods_are_not_found(ctx, response, case):
        # In the place of unsupported_method: both dialects respond 404 to a method that a path does not have, never 405.
        if is_of_the_operation(case, response) or response.request.method in ("HEAD", "OPTIONS"):
            return
        if contract.name == "admin":
            assert response.status_code in (404, 405), f"{response.request.method}: {response.status_code}"
            if response.status_code == 405:
                allowed = set(response.headers["allow"][0].split(", "))
                assert contract.methods(case.operation.path) <= allowed, f"Allow: {allowed}"
            return
        assert response.status_code == 404, f"{response.request.method}: {response.status_code}, not 404"
        if contract.name == "fusionauth":
            assert not response.content, f"a body: {response.text[:200]}"
        else:
            assert set(response.json()) == {"message", "code"}, f"not the body of an error: {response.text[:200]}"
            assert response.json()["code"] == "NOT_FOUND", response.text[:200]

    if contract.name == "fusionauth":
        register_for_fusionauth(documented)
    else:
        register_for_documented_codes(contract, documented)
    if contract.name == "admin":
        register_for_administration(documented)


def register_for_administration(documented):
    @schemathesis.check
    def problems_say_their_status(ctx, response, case):
        # RFC 9457, 3.1.2
        if response.status_code >= 400 and documented(case, response):
            assert response.json()["status"] == response.status_code, response.text[:200]


def register_for_documented_codes(contract, documented):
    @schemathesis.check
    def error_codes_are_documented(ctx, response, case):
        documented_response = documented(case, response)
        if documented_response is not None and response.status_code >= 400:
            code = response.json()["code"]
            assert code in contract.codes(documented_response), f"{response.status_code} does not document {code}"

    @schemathesis.check
    def times_have_milliseconds(ctx, response, case):
        if set(JSON) & set((documented(case, response) or {}).get("content", {})):
            for name, value in members(response.json()):
                if isinstance(value, str) and name.endswith("At"):
                    assert MILLISECONDS.fullmatch(value), f"{name}: {value}"


def register_for_fusionauth(documented):
    @schemathesis.check
    def error_codes_name_their_field(ctx, response, case):
        if response.status_code != 400 or documented(case, response) is None:
            return
        errors = response.json()
        assert errors.get("fieldErrors") or errors.get("generalErrors"), "a 400 that says nothing"
        for field, found in errors.get("fieldErrors", {}).items():
            for error in found:
                match = FIELD_CODE.fullmatch(error["code"])
                assert match and match[2] == field, f"{error['code']} at {field}"
        for error in errors.get("generalErrors", []):
            match = FIELD_CODE.fullmatch(error["code"])
            assert match and not match[2], f"{error['code']} is not about the whole"

    @schemathesis.check
    def nothing_is_null(ctx, response, case):
        if response.content and documented(case, response):
            for name, value in members(response.json()):
                assert value is not None, f"{name} is null"


def members(value):
    """Every name and value in a response, outside of what callers may put there as they like."""
    if isinstance(value, list):
        for item in value:
            yield from members(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            if name not in ("data", "state"):
                yield from members(item)
