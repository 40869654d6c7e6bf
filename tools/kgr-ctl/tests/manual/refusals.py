#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The table of kgr-ctl's refusals.

	refusals.py page RECORD		Documentation/kgraft/refusals.rst, of what
					refusals.sh has recorded, on standard output
	refusals.py missing PAGE	the refusals in kgr-ctl's source that the page
					does not have, nor this file a reason for
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent

HEAD = """.. SPDX-License-Identifier: GPL-2.0
.. Recorded in a guest: "make manual" writes this page, tests/kgr-ctl-manual.t compares it.

.. _kgr_refusals:

===================
Refusals of kgr-ctl
===================

Everything that :doc:`kgr-ctl <man/kgr-ctl.8>` refuses or gives up, by exit status: each of
these was provoked, and this is what was said. Scripts look at the exit status, or at the
JSON document that ``--json`` prints instead of text, which fits
tools/kgr-ctl/schema/error.json::

{example}

``code`` is the exit status, ``kind`` its word, which heads each section below; ``what`` is
the first line of a message below, ``why``, ``kernel`` (lines of the kernel log) and
``next`` (what to do) are those with these heads. **preflight**, **doctor** and
**autoload** put the same into the rows of their documents; there it is named which check
has failed. Messages may change, the rest is stable.

Kernels and hosts on which something is missing or broken were trees of files, in
*/tmp/fake* and */tmp/nothing*; the modules *kgr_test_...* are those of the kselftests.

"""

# Messages that no machine in good order can be brought to say, and why they are not on
# the page; a file is the unit test that has them.
MEMORY = "nothing but a lack of memory, processes or files leads there"
PACKAGES = "asked for by whoever makes packages"
UNPROVOKED = {
    "pipe: %s": MEMORY,
    "fork: %s": MEMORY,
    "signalfd: %s": MEMORY,
    "out of memory": MEMORY,
    "out of memory, or a value that JSON can't hold": MEMORY,
    "libkmod does not start: %s": MEMORY,
    "netlink: %s": MEMORY,
    "%s did not end within %lld seconds": "test_autoload.c",
    "%s said nothing": "test_autoload.c",
    "%lld held back, %lld failed": "test_autoload.c",
    "%s is not installed any more": "test_autoload.c",
    "the transition of patch '%s' has ended meanwhile": "test_force.c",
    "%s was loaded, but registered no patch": "test_load.c",
    "%s: the kernel does not accept its format": "test_load.c",
    "%s: the patch needs what this kernel's kGraft can't do": "test_load.c",
    "%s: kGraft can't redirect functions now": "test_load.c",
    "module %s is in use": "test_load.c",
    "module %s is not loaded any more": "test_load.c",
    "can't remove module %s: %s": "test_load.c",
    "this kernel has no netlink family \"kgraft\"": "test_stragglers.c",
    "can't list stragglers: %s": "test_stragglers.c",
    "patch '%s' was reverted and unloaded meanwhile": "test_wait.c",
    "no completion for '%s': bash or zsh": PACKAGES,
    "the man page has no generated section '%s'": PACKAGES,
    "waiting for patch '%s': %s": MEMORY,
    "can't watch the transition of patch '%s': %s": MEMORY,
}


def literal(text):
    """Whatever it holds; a literal can't end in a backslash or hold two backquotes."""
    return f"``{text.strip()}``"


def failures(doc):
    """(error, check) for each thing that a document says is wrong."""
    if "error" in doc:
        return [(doc["error"], None)]
    rows = [(row, row["check"]) for row in doc.get("checks", [])
            if row.get("result") == "failed"]
    rows += [(row["error"], None) for row in doc.get("patches", [])
             if isinstance(row.get("error"), dict)]
    rows += [({"what": row["what"], "why": [], "next": []}, row["name"])
             for row in doc.get("functions", []) if row.get("result") == "failed"]
    return rows


class Row:
    bad = False

    def __init__(self, path):
        self.name = path.name
        self.situation = (path / "situation").read_text().strip()
        self.command = (path / "command").read_text().strip()
        self.code = int((path / "code").read_text())
        self.doc = json.loads((path / "json").read_text())
        self.text = (path / "text").read_text()
        self.failures = failures(self.doc)
        if not self.failures:
            self.complain("no refusal", str(self.doc))
        for error, _ in self.failures:
            self.check(error)

    def complain(self, what, text):
        Row.bad = True
        print(f"{self.name}: {self.command}: {what}\n{text}", file=sys.stderr)

    def check(self, error):
        """Text and JSON say the same, and there is something to do."""
        for line in [error["what"]] + error["why"] + error["next"]:
            # numbers may have changed from one run to the next
            words = re.split(r"[0-9]+(?:\.[0-9]+)?", re.sub(r"\s+", " ", line))
            at = 0
            text = re.sub(r"\s+", " ", self.text)
            for word in words:
                at = text.find(word, at)
                if at < 0:
                    self.complain(f"not in the text: {line}", self.text)
                    break
        if not error["next"] and "checks" not in self.doc and "functions" not in self.doc:
            self.complain("nothing said about what to do", self.text)
        code = error.get("code", self.code)
        if "error" in self.doc and code != self.code:
            self.complain(f"exit status {self.code}, but {code} in JSON", self.text)

    def lines(self):
        for error, check in self.failures:
            yield literal(error["what"]) + (f" (*{check}*)" if check else "")
            for key in "why", "kernel", "next":
                for i, line in enumerate(error.get(key, [])):
                    yield (f"*{key}:* " if not i else "") + literal(line)

    def rst(self):
        lines = list(self.lines())
        return "".join([f"   * - {self.situation}\n", f"     - {literal(self.command)}\n",
                        f"     - | {lines[0]}\n"] + [f"       | {line}\n" for line in lines[1:]])


def sections(record):
    """Of "kgr-ctl --man-section=exit-status": (number, word, text), in order."""
    text = (record / "exit-status").read_text()
    for number, word, body in re.findall(r"\*\*(\d+)\*\*  \(\*([\w-]+)\*\)\n((?:    .*\n)+)", text):
        yield int(number), word, re.sub(r"\n *", "\n", body.strip())


def page(record):
    rows = [Row(path) for path in sorted(record.glob("[0-9]*")) if path.is_dir()]
    example = next(row.doc for row in rows if "'stop'" in row.text)
    out = HEAD.format(example="\n".join("    " + line for line in
                                        json.dumps(example, indent=2).splitlines()))
    for number, word, text in sections(record):
        mine = [row for row in rows if row.code == number]
        if not mine:
            continue
        title = f"{number}: {word}"
        out += f"{title}\n{'=' * len(title)}\n\n{text}\n\n"
        out += ".. list-table::\n   :header-rows: 1\n   :widths: 25 30 45\n\n"
        out += "   * - When\n     - Command\n     - What it says\n"
        out += "".join(row.rst() for row in mine) + "\n"
    sys.stdout.write(out.rstrip() + "\n")
    print(f"{len(rows)} refusals", file=sys.stderr)
    sys.exit(Row.bad)


STRING = r'"((?:[^"\\]|\\.)*)"'
CALL = re.compile(r'\bkgr_fail\(\s*[\w>-]+,\s*([^"]*?),\s*((?:' + STRING + r'\s*)+)')
FUNCTIONS = re.compile(r'\bfail_functions\(\s*ctx, f, "[\w-]+",\s*' + STRING)


def source():
    """(file, format) of each refusal; a code that is always KGR_EXIT_OK makes a warning."""
    for path in sorted(SOURCE.glob("*.c")):
        text = path.read_text()
        for code, formats, _ in CALL.findall(text):
            form = "".join(re.findall(STRING, formats)).replace('\\"', '"')
            # what is said is elsewhere
            if code.strip() != "KGR_EXIT_OK" and re.search("[a-z]{2}", form.replace("%zu", "")):
                yield path.name, form
        for form in FUNCTIONS.findall(text):
            # the last one of them is no refusal
            if "not loaded" not in form:
                yield path.name, form + ": %s"


def missing(name):
    said = re.findall(r"^     - \| ``(.*?)``|^       \| ``(.*?)``(?: \(|$)", pathlib.Path(name).read_text(),
                      re.M)
    said = [a or b for a, b in said]
    tests = {path.name: path.read_text() for path in HERE.parent.glob("test_*.c")}
    bad = 0
    for name, form in source():
        pattern = "".join(".*" if part.startswith("%") else re.escape(part)
                          for part in re.split(r"(%[-.*0-9]*(?:ll|z)?[a-z])", form))
        if any(re.fullmatch(pattern, what) for what in said):
            continue
        reason = UNPROVOKED.get(form)
        if reason and (not reason.startswith("test_") or
                       re.search(longest(form), tests[reason])):
            continue
        print(f'{name}: "{form}"' + (f" is not in {reason} either" if reason else ""))
        bad = 1
    return bad


def longest(form):
    """What a test is sure to have of it, if it has it."""
    return re.escape(max(re.split(r"%[-.*0-9]*(?:ll|z)?[a-z]|[:\"]", form), key=len).strip(" '"))


def main():
    if sys.argv[1:2] == ["page"] and len(sys.argv) == 3:
        page(pathlib.Path(sys.argv[2]))
    elif sys.argv[1:2] == ["missing"] and len(sys.argv) == 3:
        sys.exit(missing(sys.argv[2]))
    else:
        sys.exit(__doc__)


main()
