"""Every setting of `--help` is in countersign.toml, check-config accepts each of its lines, and the schema agrees.

usage: check_settings.py BINARY PACKAGING"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import jsonschema

def companions(name):
    """What a line of the file is refused without."""
    base_url = 'base_url = "https://id.example.com"\n'
    if name in ("cookies.domain", "passkeys.rp_id"):
        return base_url
    if name == "passkeys.origins":
        return base_url + 'passkeys.rp_id = "example.com"\n'
    if name.startswith("smtp."):
        pair = {"smtp.url": "smtps://mail.example.com", "smtp.from": "no-reply@example.com"}
        return "".join(f'{other} = "{value}"\n' for other, value in pair.items() if other != name)
    return ""


# Only the environment gives it, and sms.account and sms.from are of no use without it.
GATEWAY = {"COUNTERSIGN_SMS_URL": "https://sms.example.com", "COUNTERSIGN_SMS_SECRET": "a secret of at least 24 characters"}

# Examples of what is not on this machine: a server, files. Of these, only the names are checked.
ELSEWHERE = {"database.url", "smtp.ca", "messages.templates", "webhooks"}


def lines(text):
    """The name of each setting that is commented out, and its line, for the top of a file."""
    table = ""
    for line in text.splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            table = f"{header[1]}."
        elif setting := re.fullmatch(r"#(\w+) = (.+)", line):
            yield f"{table}{setting[1]}", f"{table}{setting[1]} = {setting[2]}\n"


def main(binary, packaging):
    text = (Path(packaging) / "countersign.toml").read_text()
    settings = dict(lines(text))
    help = subprocess.run([binary, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    documented = set(re.findall(r"\[file:\s+([\w.]+)\]", help))
    if documented != set(settings):
        sys.exit(f"FAILED: only in --help: {documented - set(settings)}; only in countersign.toml: {set(settings) - documented}")

    schema = json.loads((Path(packaging) / "countersign.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    if problem := jsonschema.exceptions.best_match(validator.iter_errors(tomllib.loads(text))):
        sys.exit(f"FAILED: the schema refuses countersign.toml: {problem}")

    with tempfile.TemporaryDirectory() as place:

        keys = subprocess.run([binary, "generate-keyring"], check=True, stdout=subprocess.PIPE, text=True).stdout

        def refusal(file):
            """What check-config says of a file, if it is not valid."""
            path = Path(place) / "c.toml"
            path.write_text(file)
            command, environment = [binary, "check-config", "--config", path], {"COUNTERSIGN_KEYS": keys, **GATEWAY}
            done = subprocess.run(command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return done.returncode and done.stdout[done.stdout.index("error:"):]

        for name, line in settings.items():
            file = companions(name) + line
            problem = refusal(file)
            if problem and (name not in ELSEWHERE or "unknown" in problem):
                sys.exit(f"FAILED: check-config refuses `{line.strip()}`: {problem}")
            if problem := jsonschema.exceptions.best_match(validator.iter_errors(tomllib.loads(file))):
                sys.exit(f"FAILED: the schema refuses `{line.strip()}`: {problem}")

        # What both have to refuse.
        for wrong in (
            'listne = "127.0.0.1:1"',
            "docs = 1",
            'profile = "lax"',
            "limits.hash_queue = 0",
            "limits.hash_queue = 100001",
            "trusted_proxies = [1]",
            'tenants = [{ id = "c0de0000-0000-4000-8000-000000000001", name = "x", polici = 1 }]',
            'keys = "x"',
            'sms.url = "x"',
        ):
            if not refusal(wrong):
                sys.exit(f"FAILED: check-config accepts `{wrong}`")
            if validator.is_valid(tomllib.loads(wrong)):
                sys.exit(f"FAILED: the schema accepts `{wrong}`")
    print(f"   {len(settings)} settings")


main(*sys.argv[1:])
