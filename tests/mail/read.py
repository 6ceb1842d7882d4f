"""Reads mails back with a parser that takes no defect: read.py DIRECTORY, with one mail for each file."""

import email
import email.policy
import html.parser
import pathlib
import re
import sys

POLICY = email.policy.default.clone(raise_on_defect=True)
ONCE = ["from", "to", "subject", "date", "message-id", "mime-version", "auto-submitted", "content-type"]


class Text(html.parser.HTMLParser):
    """The text of a page, and whether its elements are closed in order."""

    VOID = {"meta"}

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if "title" not in self.open:
            self.text.append(data)


def words(text):
    return " ".join(text.split())


def read(raw):
    assert raw.isascii(), "needs 8BITMIME"
    assert all(len(line) <= 998 and b"\r" not in line for line in raw.split(b"\r\n")), "RFC 5322, 2.1.1"
    mail = email.message_from_bytes(raw, policy=POLICY)
    for name in ONCE:
        assert len(mail.get_all(name, [])) == 1, name
    for part in mail.walk():
        assert not part.defects, part.defects
        assert not any(header.defects for header in part.values()), part.items()
    (sender,), (recipient,) = mail["from"].addresses, mail["to"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Zwölf, Ltd.", "no-reply@xn--80a1acny.xn--p1ai"), sender
    assert recipient.addr_spec == "ada@xn--bcher-kva.example", recipient
    assert mail["date"].datetime.isoformat() == "2026-03-01T12:00:00+00:00", mail["date"]
    assert re.fullmatch(r"<[0-9a-f]{32}@xn--80a1acny\.xn--p1ai>", mail["message-id"]), mail["message-id"]
    assert (mail["mime-version"], mail["auto-submitted"]) == ("1.0", "auto-generated")
    assert mail.get_content_type() == "multipart/alternative"
    plain, page = mail.iter_parts()
    assert (plain.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    reader = Text()
    reader.feed(page.get_content())
    reader.close()
    assert not reader.open, reader.open
    assert words(plain.get_content()) == words(" ".join(reader.text)), "text and HTML say the same"
    assert "Zwölf & <Söhne>" in mail["subject"] + plain.get_content()
    return mail["message-id"]


files = sorted(pathlib.Path(sys.argv[1]).iterdir())
assert len({read(file.read_bytes()) for file in files}) == len(files), "each has an id of its own"
print(f"{len(files)} mails")
