#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every document that the other tests have printed fits its schema.

KGR_DOCUMENTS: directory of documents; KGR_CTL: the program. With a file as argument,
only that: one or more documents, one behind the other.
"""
import json
import os
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP python3-jsonschema is not installed")
    sys.exit(0)

TOP = pathlib.Path(__file__).resolve().parent.parent / "schema"


def strict(node):
    """New keys may be added to documents, but here the schemas have to name all."""
    if isinstance(node, list):
        return [strict(x) for x in node]
    if not isinstance(node, dict):
        return node
    node = {key: strict(value) for key, value in node.items()}
    if "properties" in node and node.get("$id") != "patch.json":
        node["unevaluatedProperties"] = False
    if "allOf" in node:
        node["allOf"] = [{"$ref": x["$ref"]} for x in node["allOf"]]
    elif node.get("$ref") == "patch.json":
        node["unevaluatedProperties"] = False
    return node


def load():
    return {path.stem: strict(json.loads(path.read_text())) for path in TOP.glob("*.json")}


class Checker:
    def __init__(self):
        self.schemas = load()
        self.store = {schema["$id"]: schema for schema in self.schemas.values()}
        self.seen = {}
        for schema in self.schemas.values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def complaint(self, doc):
        """None, or what is wrong with the document."""
        name = "error" if "error" in doc else doc.get("command")
        if name not in self.schemas:
            return f"there is no schema '{name}'"
        self.seen[name] = self.seen.get(name, 0) + 1
        schema = self.schemas[name]
        resolver = jsonschema.RefResolver(schema["$id"], schema, self.store)
        errors = jsonschema.Draft202012Validator(schema, resolver=resolver).iter_errors(doc)
        best = jsonschema.exceptions.best_match(errors)
        return best and f"{name}: {best.json_path}: {best.message}"


def documents(text):
    decoder = json.JSONDecoder()
    text = text.lstrip()
    while text:
        doc, end = decoder.raw_decode(text)
        yield doc
        text = text[end:].lstrip()


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, what, complaints):
        self.count += 1
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {what}")
        for complaint in complaints[:10]:
            print(f"# {complaint}")
        self.failed += bool(complaints)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(self.failed > 0)


def check_files(tap, checker, files):
    complaints = []
    for path in files:
        for doc in documents(path.read_text()):
            complaint = checker.complaint(doc)
            if complaint:
                complaints.append(f"{path}: {complaint}")
    tap.ok("every document fits its schema", complaints)


def check_strictness(tap, checker, files):
    """That the schemas are read, and can refuse, is shown by breaking documents."""
    complaints = []
    broken = {}
    for path in files:
        for doc in documents(path.read_text()):
            name = "error" if "error" in doc else doc["command"]
            if name not in broken and name in checker.schemas:
                broken[name] = doc
    for name, doc in broken.items():
        for key in list(doc):
            if not checker.complaint({k: v for k, v in doc.items() if k != key}):
                complaints.append(f"{name} fits without '{key}'")
        if not checker.complaint({**doc, "unheard-of": 1}):
            complaints.append(f"{name} fits with an unknown key")
    tap.ok("a document with a key too few or too many does not", complaints)


def main():
    tap = Tap()
    checker = Checker()
    if len(sys.argv) > 1:
        check_files(tap, checker, [pathlib.Path(x) for x in sys.argv[1:]])
        tap.done()
    files = sorted(pathlib.Path(os.environ["KGR_DOCUMENTS"]).glob("*.json"))
    check_files(tap, checker, files)
    tap.ok("there were some for each schema",
           [f"none for {name}" for name in sorted(checker.schemas)
            if name not in checker.seen and name not in ("patch", "finding")])
    check_strictness(tap, checker, files)
    out = subprocess.run([os.environ["KGR_CTL"], "help", "--json"], check=True,
                         capture_output=True, text=True).stdout
    tap.ok("each command has one",
           [cmd["name"] for cmd in json.loads(out)["commands"]
            if cmd["name"] not in checker.schemas])
    tap.done()


main()
