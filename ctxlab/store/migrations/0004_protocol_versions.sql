-- Protocols and artifact schemas with the protocol's name and version in their keys; what was
-- read from production.
DROP TRIGGER sessions_parent ON sessions;
DROP TRIGGER workshop_steps_parent ON workshop_steps;
DROP TRIGGER workshops_cases ON workshops;
DROP TRIGGER workshops_sessions ON workshops;
DROP TRIGGER workshops_steps ON workshops;
CREATE TABLE _workshops_now (
  "id" VARCHAR NOT NULL,
  "title" VARCHAR NOT NULL,
  "protocol" VARCHAR NOT NULL,
  "protocol_version" INTEGER NOT NULL DEFAULT 1 CHECK ("protocol_version" >= 1),
  "metadata" JSON NOT NULL DEFAULT '{}' CHECK (json_type("metadata") = 'OBJECT'),
  "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
  PRIMARY KEY ("id")
);
INSERT INTO _workshops_now BY NAME SELECT * FROM workshops;
DROP TABLE workshops;
ALTER TABLE _workshops_now RENAME TO workshops;
CREATE TRIGGER sessions_parent AFTER INSERT ON sessions REFERENCING NEW TABLE AS n FOR EACH STATEMENT INSERT INTO _refused SELECT "error"(('no workshop ' || n.workshop_id)) FROM (n ANTI JOIN workshops AS w ON ((w.id = n.workshop_id)));
CREATE TRIGGER workshop_steps_parent AFTER INSERT ON workshop_steps REFERENCING NEW TABLE AS n FOR EACH STATEMENT INSERT INTO _refused SELECT "error"(('no workshop ' || n.workshop_id)) FROM (n ANTI JOIN workshops AS w ON ((w.id = n.workshop_id)));
CREATE TRIGGER workshops_cases AFTER DELETE ON workshops REFERENCING OLD TABLE AS o FOR EACH STATEMENT DELETE FROM cases WHERE (workshop_id = ANY(SELECT id FROM o));
CREATE TRIGGER workshops_sessions AFTER DELETE ON workshops REFERENCING OLD TABLE AS o FOR EACH STATEMENT DELETE FROM sessions WHERE (workshop_id = ANY(SELECT id FROM o));
CREATE TRIGGER workshops_steps AFTER DELETE ON workshops REFERENCING OLD TABLE AS o FOR EACH STATEMENT DELETE FROM workshop_steps WHERE (workshop_id = ANY(SELECT id FROM o));
CREATE TABLE _step_definitions_now (
  "protocol" VARCHAR NOT NULL,
  "protocol_version" INTEGER NOT NULL DEFAULT 1 CHECK ("protocol_version" >= 1),
  "step_id" VARCHAR NOT NULL,
  "position" INTEGER NOT NULL,
  "name" VARCHAR NOT NULL,
  "description" VARCHAR NOT NULL,
  "depends_on" JSON NOT NULL CHECK (json_type("depends_on") = 'ARRAY'),
  "prompt_template" VARCHAR NOT NULL,
  "definition" JSON NOT NULL CHECK (json_type("definition") = 'OBJECT'),
  PRIMARY KEY ("protocol", "protocol_version", "step_id")
);
INSERT INTO _step_definitions_now BY NAME SELECT * FROM step_definitions;
DROP TABLE step_definitions;
ALTER TABLE _step_definitions_now RENAME TO step_definitions;
CREATE TABLE _artifact_schemas_now (
  "protocol" VARCHAR NOT NULL DEFAULT 'design-thinking',
  "step_id" VARCHAR NOT NULL,
  "schema_version" INTEGER NOT NULL CHECK ("schema_version" >= 1),
  "protocol_version" INTEGER NOT NULL DEFAULT 1 CHECK ("protocol_version" >= 1),
  "json_schema" JSON NOT NULL CHECK (json_type("json_schema") = 'OBJECT'),
  "migration" JSON CHECK ("migration" IS NULL OR json_type("migration") = 'OBJECT'),
  "chosen" BOOLEAN NOT NULL DEFAULT false,
  "registered_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
  PRIMARY KEY ("protocol", "step_id", "schema_version")
);
-- A step id belonged to every protocol that has such a step; of a migration only its name is known.
INSERT INTO _artifact_schemas_now BY NAME
  SELECT coalesce(d.protocol, 'design-thinking') AS protocol, a.* REPLACE (
    CASE WHEN a.migration IS NOT NULL THEN json_object('function', a.migration) END AS migration
  ) FROM artifact_schemas a
  LEFT JOIN (SELECT DISTINCT protocol, step_id FROM step_definitions) d ON d.step_id = a.step_id;
DROP TABLE artifact_schemas;
ALTER TABLE _artifact_schemas_now RENAME TO artifact_schemas;
CREATE TABLE production_rows (
  "place" VARCHAR NOT NULL,
  "table_name" VARCHAR NOT NULL,
  "row_key" VARCHAR NOT NULL,
  "workshop_id" VARCHAR NOT NULL,
  "their_key" VARCHAR NOT NULL,
  "ours" VARCHAR NOT NULL,
  "theirs" VARCHAR NOT NULL,
  PRIMARY KEY ("place", "table_name", "row_key")
);
CREATE TRIGGER workshops_production_rows AFTER DELETE ON workshops REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM production_rows WHERE workshop_id IN (SELECT id FROM o);
