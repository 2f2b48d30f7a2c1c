-- Conversations. A plain chat is a workshop of one step; a case adds probes to a workshop.
CREATE TABLE workshops (
  id VARCHAR PRIMARY KEY,
  title VARCHAR NOT NULL,
  protocol VARCHAR NOT NULL,
  metadata JSON NOT NULL DEFAULT '{}' CHECK (json_type(metadata) = 'OBJECT'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE sessions (
  id VARCHAR PRIMARY KEY,
  workshop_id VARCHAR NOT NULL,
  label VARCHAR,
  position INTEGER NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE step_definitions (
  protocol VARCHAR NOT NULL,
  step_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  name VARCHAR NOT NULL,
  description VARCHAR NOT NULL,
  depends_on JSON NOT NULL CHECK (json_type(depends_on) = 'ARRAY'),
  prompt_template VARCHAR NOT NULL,
  definition JSON NOT NULL CHECK (json_type(definition) = 'OBJECT'),
  PRIMARY KEY (protocol, step_id)
);
CREATE TABLE workshop_steps (
  id VARCHAR PRIMARY KEY,
  workshop_id VARCHAR NOT NULL,
  step_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  status VARCHAR NOT NULL DEFAULT 'not_started'
    CHECK (status IN ('not_started', 'in_progress', 'complete', 'needs_regeneration')),
  arc_phase VARCHAR NOT NULL DEFAULT 'orient'
    CHECK (arc_phase IN ('orient', 'gather', 'synthesize', 'refine', 'validate', 'complete')),
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  UNIQUE (workshop_id, step_id)
);
CREATE TABLE chat_messages (
  workshop_id VARCHAR NOT NULL,
  session_id VARCHAR NOT NULL,
  step_id VARCHAR NOT NULL,
  message_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  role VARCHAR NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
  name VARCHAR,
  content VARCHAR NOT NULL,
  tool_calls JSON CHECK (tool_calls IS NULL OR json_type(tool_calls) = 'ARRAY'),
  tool_call_id VARCHAR,
  pinned BOOLEAN NOT NULL DEFAULT false,
  metadata JSON,
  token_count INTEGER NOT NULL,
  overhead INTEGER NOT NULL,
  running_total BIGINT NOT NULL,
  encoding VARCHAR NOT NULL,
  created_at VARCHAR,
  UNIQUE (session_id, step_id, message_id)
);
CREATE TABLE cases (
  id VARCHAR PRIMARY KEY,
  dataset VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  workshop_id VARCHAR NOT NULL UNIQUE,
  UNIQUE (dataset, case_id)
);
CREATE TABLE probes (
  case_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  probe_id VARCHAR NOT NULL,
  question VARCHAR NOT NULL,
  answer VARCHAR NOT NULL,
  evidence VARCHAR[] NOT NULL,
  category VARCHAR NOT NULL,
  evidence_mode VARCHAR NOT NULL CHECK (evidence_mode IN ('all', 'any')),
  asked_at VARCHAR
);

-- Runs.
CREATE TABLE experiments (
  id VARCHAR PRIMARY KEY,
  name VARCHAR NOT NULL,
  spec JSON NOT NULL,
  version VARCHAR NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE experiment_trials (
  experiment_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  trial_hash VARCHAR NOT NULL
);
CREATE TABLE trials (
  trial_hash VARCHAR PRIMARY KEY,
  strategy VARCHAR NOT NULL,
  spec JSON NOT NULL,
  budget VARCHAR NOT NULL,
  dataset VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  seed BIGINT NOT NULL,
  encoding VARCHAR NOT NULL,
  version VARCHAR NOT NULL,
  query_aware BOOLEAN NOT NULL,
  probes INTEGER NOT NULL,
  error VARCHAR,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE outcomes (
  trial_hash VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  probe_id VARCHAR NOT NULL,
  category VARCHAR NOT NULL,
  all_evidence DOUBLE,
  evidence_tokens DOUBLE,
  answer DOUBLE,
  tokens_before BIGINT NOT NULL,
  tokens_after BIGINT NOT NULL,
  budget_tokens BIGINT NOT NULL,
  seconds DOUBLE NOT NULL
);
CREATE TABLE ledger (
  trial_hash VARCHAR PRIMARY KEY,
  entries JSON NOT NULL CHECK (json_type(entries) = 'OBJECT')
);
CREATE TABLE llm_calls (
  request_hash VARCHAR PRIMARY KEY,
  model VARCHAR NOT NULL,
  request JSON NOT NULL,
  response JSON NOT NULL,
  usage JSON NOT NULL,
  cost DOUBLE,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE vectors (
  model VARCHAR NOT NULL,
  text_hash VARCHAR NOT NULL,
  vector FLOAT[] NOT NULL,
  UNIQUE (model, text_hash)
);

-- DuckDB has no cascading foreign keys: statement triggers cascade and check instead. What
-- must not be is written to _refused, whose only value is an error.
CREATE TABLE _refused (reason VARCHAR);
CREATE TRIGGER sessions_parent AFTER INSERT ON sessions REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no workshop ' || n.workshop_id) FROM n ANTI JOIN workshops w ON w.id = n.workshop_id;
CREATE TRIGGER workshop_steps_parent AFTER INSERT ON workshop_steps REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no workshop ' || n.workshop_id) FROM n ANTI JOIN workshops w ON w.id = n.workshop_id;
CREATE TRIGGER chat_messages_session AFTER INSERT ON chat_messages REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no session ' || n.session_id) FROM n
  ANTI JOIN sessions s ON s.id = n.session_id AND s.workshop_id = n.workshop_id;
CREATE TRIGGER chat_messages_step AFTER INSERT ON chat_messages REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no step ' || n.step_id || ' in workshop ' || n.workshop_id) FROM n
  ANTI JOIN workshop_steps t ON t.workshop_id = n.workshop_id AND t.step_id = n.step_id;
CREATE TRIGGER probes_parent AFTER INSERT ON probes REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT INSERT INTO _refused
  SELECT error('no case ' || n.case_id) FROM n ANTI JOIN cases c ON c.id = n.case_id;

CREATE TRIGGER workshops_sessions AFTER DELETE ON workshops REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM sessions WHERE workshop_id IN (SELECT id FROM o);
CREATE TRIGGER workshops_steps AFTER DELETE ON workshops REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM workshop_steps WHERE workshop_id IN (SELECT id FROM o);
CREATE TRIGGER workshops_cases AFTER DELETE ON workshops REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM cases WHERE workshop_id IN (SELECT id FROM o);
CREATE TRIGGER sessions_messages AFTER DELETE ON sessions REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM chat_messages WHERE session_id IN (SELECT id FROM o);
CREATE TRIGGER cases_probes AFTER DELETE ON cases REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM probes WHERE case_id IN (SELECT id FROM o);
CREATE TRIGGER experiments_trials AFTER DELETE ON experiments REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM experiment_trials WHERE experiment_id IN (SELECT id FROM o);
CREATE TRIGGER trials_outcomes AFTER DELETE ON trials REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM outcomes WHERE trial_hash IN (SELECT trial_hash FROM o);
CREATE TRIGGER trials_ledger AFTER DELETE ON trials REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM ledger WHERE trial_hash IN (SELECT trial_hash FROM o);
