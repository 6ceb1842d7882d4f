"""Changes that were acknowledged, and how to see whether they are there."""


def question(kind, details, key):
    """How to look at an acknowledged change: a request, and what its response is if the change is there."""
    service = {"authorization": key}
    if kind == "user":
        return "GET", f"/api/user/{details[0]}", None, service, lambda response: response.status == 200
    if kind == "enrolled":

        def is_enrolled(response):
            methods = response.json().get("user", {}).get("twoFactor", {}).get("methods", [])
            return any(method["method"] == "authenticator" for method in methods)

        return "GET", f"/api/user/{details[0]}", None, service, is_enrolled
    if kind == "password":
        body = {"email": details[0], "password": details[1]}
        return "POST", "/api/auth/sign-in/email", body, {}, lambda response: response.status == 200
    path, bearer = "/api/auth/get-session", {"authorization": f"Bearer {details[0]}"}
    is_live = lambda response: response.status == 200 and bool(response.json().get("user"))
    if kind == "session":
        return "GET", path, None, bearer, is_live
    if kind == "ended":
        return "GET", path, None, bearer, lambda response: not is_live(response)
    raise ValueError(kind)
