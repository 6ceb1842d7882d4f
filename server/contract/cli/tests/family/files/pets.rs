//! A document of several files.

pub(super) const API: &str = "\
openapi: 3.0.3
info: {title: Pets, version: 1.0.0}
security: []
paths:
  /pets: {$ref: paths/pets.yaml}
  /pets/{id}: {$ref: 'paths/pet.yaml#/item'}
components:
  schemas:
    Pet: {$ref: ./schemas/pet.yaml}
    Name: {type: string}
  headers:
    Next: {schema: {type: string}}
";

const PETS: &str = "\
get:
  operationId: listPets
  parameters:
    - $ref: ../common.yaml#/components/parameters/Page
  responses:
    '200':
      description: Pets.
      headers:
        Next: {$ref: '../api.yaml#/components/headers/Next'}
      content:
        application/json:
          schema: {type: array, items: {$ref: ../schemas/pet.yaml}}
          examples:
            one: {$ref: ../examples/one.json}
    default: {$ref: ../common.yaml#/components/responses/Problem}
";

const PET: &str = "\
item:
  parameters:
    - {name: id, in: path, required: true, schema: {$ref: '#/id'}}
  put:
    operationId: putPet
    requestBody: {$ref: '#/body'}
    responses:
      '204': {description: Done.}
id: {type: string, maxLength: 20}
body:
  content:
    application/json:
      schema: {$ref: '../api.yaml#/components/schemas/Pet'}
";

const SCHEMA: &str = "\
oneOf:
  - $ref: dog.yaml
  - $ref: Cat%20and%20more.yaml
discriminator:
  propertyName: kind
  mapping: {dog: dog.yaml, cat: Cat%20and%20more.yaml}
";

const DOG: &str = "\
type: object
required: [kind, name]
properties:
  kind: {type: string}
  name: {$ref: '../api.yaml#/components/schemas/Name'}
  puppies: {type: array, items: {$ref: pet.yaml}}
  default: {$ref: '../common.yaml#/components/schemas/Name'}
";

const CAT: &str = "\
type: object
required: [kind]
properties:
  kind: {type: string}
example: {$ref: nothing.yaml}
x-shown-by: {$ref: nothing.yaml}
";

const COMMON: &str = "\
components:
  parameters:
    Page: {name: page, in: query, schema: {type: integer}}
  responses:
    Problem:
      description: It did not work.
      content: {application/json: {schema: {$ref: '#/components/schemas/Name'}}}
  schemas:
    Name: {type: string, minLength: 1}
";

pub(super) const FILES: [(&str, &str); 7] = [
    ("paths/pets.yaml", PETS),
    ("paths/pet.yaml", PET),
    ("schemas/pet.yaml", SCHEMA),
    ("schemas/dog.yaml", DOG),
    ("schemas/Cat and more.yaml", CAT),
    ("common.yaml", COMMON),
    ("examples/one.json", "{\"summary\": \"One\", \"value\": [{\"kind\": \"cat\"}]}"),
];
