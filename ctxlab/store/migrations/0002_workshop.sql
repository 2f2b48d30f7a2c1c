-- What a workshop's steps produce: one summary and one artifact each, with every version kept.
CREATE TABLE step_summaries (
  id VARCHAR PRIMARY KEY,
  workshop_step_id VARCHAR NOT NULL UNIQUE,
  summary VARCHAR NOT NULL,
  token_count INTEGER NOT NULL,
  encoding VARCHAR NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  generated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
-- Summaries that were replaced on purpose, and generations that failed.
CREATE TABLE step_summary_history (
  workshop_step_id VARCHAR NOT NULL,
  revision INTEGER,
  summary VARCHAR,
  error VARCHAR,
  noted_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  CHECK ((summary IS NULL) <> (error IS NULL))
);
CREATE TABLE step_artifacts (
  id VARCHAR PRIMARY KEY,
  workshop_step_id VARCHAR NOT NULL UNIQUE,
  artifact JSON NOT NULL CHECK (json_type(artifact) = 'OBJECT'),
  schema_version INTEGER NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  valid BOOLEAN NOT NULL,
  token_count INTEGER NOT NULL,
  encoding VARCHAR NOT NULL,
  extracted_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE step_artifact_versions (
  workshop_step_id VARCHAR NOT NULL,
  version INTEGER NOT NULL,
  artifact JSON NOT NULL CHECK (json_type(artifact) = 'OBJECT'),
  schema_version INTEGER NOT NULL,
  valid BOOLEAN NOT NULL,
  extracted_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (workshop_step_id, version)
);
CREATE TABLE artifact_schemas (
  step_id VARCHAR NOT NULL,
  schema_version INTEGER NOT NULL CHECK (schema_version >= 1),
  json_schema JSON NOT NULL CHECK (json_type(json_schema) = 'OBJECT'),
  migration VARCHAR,
  registered_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (step_id, schema_version)
);

CREATE TRIGGER step_summaries_parent AFTER INSERT ON step_summaries REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no workshop step ' || n.workshop_step_id) FROM n
  ANTI JOIN workshop_steps t ON t.id = n.workshop_step_id;
CREATE TRIGGER step_artifacts_parent AFTER INSERT ON step_artifacts REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no workshop step ' || n.workshop_step_id) FROM n
  ANTI JOIN workshop_steps t ON t.id = n.workshop_step_id;
-- A summary's text changes only together with its revision: write-once, unless on purpose.
CREATE TRIGGER step_summaries_write_once AFTER UPDATE ON step_summaries
  REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('write-once: summary of step ' || o.workshop_step_id) FROM o
  JOIN n ON n.id = o.id WHERE n.revision <= o.revision;
CREATE TRIGGER artifact_versions_write_once AFTER UPDATE ON step_artifact_versions
  REFERENCING OLD TABLE AS o FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('append-only: version ' || o.version || ' of ' || o.workshop_step_id) FROM o;
CREATE TRIGGER workshop_steps_summaries AFTER DELETE ON workshop_steps REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM step_summaries WHERE workshop_step_id IN (SELECT id FROM o);
CREATE TRIGGER workshop_steps_summary_history AFTER DELETE ON workshop_steps
  REFERENCING OLD TABLE AS o FOR EACH STATEMENT
  DELETE FROM step_summary_history WHERE workshop_step_id IN (SELECT id FROM o);
CREATE TRIGGER workshop_steps_artifacts AFTER DELETE ON workshop_steps REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM step_artifacts WHERE workshop_step_id IN (SELECT id FROM o);
CREATE TRIGGER workshop_steps_artifact_versions AFTER DELETE ON workshop_steps
  REFERENCING OLD TABLE AS o FOR EACH STATEMENT
  DELETE FROM step_artifact_versions WHERE workshop_step_id IN (SELECT id FROM o);
