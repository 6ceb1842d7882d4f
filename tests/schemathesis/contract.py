"""The contract as it is written, for checks that hold responses to its letter."""

import re
from pathlib import Path

import yaml


class Contract:
    """One file of openapi/."""

    def __init__(self, path):
        with Path(path).open() as file:
            self._document = yaml.safe_load(file)
        self.name = Path(path).stem

    def methods(self, path):
        """The methods that a path has, in upper case."""
        return {method.upper() for method in self._document["paths"].get(path, {}) if method != "parameters"}

    def response(self, path, method, status):
        """What is documented for a status, or nothing."""
        operation = self._document["paths"].get(path, {}).get(method.lower(), {})
        return self.resolved(operation.get("responses", {}).get(str(status)))

    def properties_at(self, path, method, place):
        """The names that the JSON body of a request may have inside of the property at a place."""
        operation = self._document["paths"].get(path, {}).get(method.lower(), {})
        content = self.resolved(operation.get("requestBody", {})).get("content", {})
        schema = self.resolved(content.get("application/json", {}).get("schema", {}))
        for name in place:
            schema = self._properties(schema).get(name, {})
        return set(self._properties(schema))

    def _properties(self, schema):
        """The properties of a schema and of what it is made of."""
        schema = self.resolved(schema)
        parts = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, [])]
        inherited = {name: item for part in parts for name, item in self._properties(part).items()}
        return inherited | schema.get("properties", {})

    def resolved(self, item):
        """The item itself, or what it refers to."""
        while isinstance(item, dict) and "$ref" in item:
            target = self._document
            for part in item["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            item = target
        return item

    def codes(self, response):
        """The error codes that the description of a response names."""
        return set(re.findall(r"`([A-Z][A-Z_]+[A-Z])`", response["description"]))

    def undocumented(self, value, schema, at=""):
        """Places of properties that the schema does not name. Without `additionalProperties` it names all there are."""
        schema = self.resolved(schema)
        if isinstance(value, list):
            items = self.resolved(schema.get("items", {}))
            for index, item in enumerate(value):
                yield from self.undocumented(item, items, f"{at}/{index}")
        elif isinstance(value, dict):
            known = self._properties(schema)
            others = schema.get("additionalProperties", False)
            is_any_json = not known and "type" not in schema
            for name, item in value.items():
                place = f"{at}/{name}"
                if name in known:
                    yield from self.undocumented(item, known[name], place)
                elif isinstance(others, dict):
                    yield from self.undocumented(item, others, place)
                elif not others and not is_any_json:
                    yield place
