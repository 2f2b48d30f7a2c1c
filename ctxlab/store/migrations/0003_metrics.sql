-- Any metric: one value for each trial, probe and metric. What a run needs stays with it.
CREATE TABLE metrics (
  metric_key VARCHAR PRIMARY KEY,
  name VARCHAR NOT NULL,
  spec JSON NOT NULL,
  traits JSON NOT NULL
);
CREATE TABLE measurements (
  trial_hash VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  metric_key VARCHAR NOT NULL,
  value DOUBLE
);
CREATE TABLE metric_failures (
  trial_hash VARCHAR NOT NULL,
  metric_key VARCHAR NOT NULL,
  error VARCHAR NOT NULL
);
CREATE TABLE case_documents (
  case_digest VARCHAR PRIMARY KEY,
  dataset VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  document VARCHAR NOT NULL
);
CREATE TABLE experiment_cases (
  experiment_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  case_digest VARCHAR NOT NULL
);
CREATE TABLE experiment_metrics (
  experiment_id VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  metric_key VARCHAR NOT NULL
);

-- The three measures of earlier versions become metrics, so that old experiments still open.
INSERT INTO metrics
SELECT 'earlier:' || name, name, json_object(name, json_object()),
  json_object('title', title, 'unit', 'share', 'better', 'higher', 'per', 'probe',
    'family', 'availability', 'source', '', 'needs', '')
FROM (VALUES ('AllEvidence', 'all evidence kept'), ('EvidenceTokens', 'evidence tokens kept'),
  ('AnswerKept', 'answer kept')) AS earlier (name, title)
WHERE EXISTS (FROM outcomes);
INSERT INTO measurements
SELECT trial_hash, position, 'earlier:AllEvidence', all_evidence FROM outcomes
UNION ALL SELECT trial_hash, position, 'earlier:EvidenceTokens', evidence_tokens FROM outcomes
UNION ALL SELECT trial_hash, position, 'earlier:AnswerKept', answer FROM outcomes;
INSERT INTO experiment_metrics
SELECT e.id, row_number() OVER (PARTITION BY e.id ORDER BY m.metric_key) - 1, m.metric_key
FROM experiments e CROSS JOIN metrics m;

DROP TRIGGER trials_outcomes ON trials;
DROP TRIGGER trials_ledger ON trials;
DROP TRIGGER experiments_trials ON experiments;

CREATE TABLE outcomes_now (
  trial_hash VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  probe_id VARCHAR NOT NULL,
  category VARCHAR NOT NULL,
  tokens_before BIGINT NOT NULL,
  tokens_after BIGINT NOT NULL,
  budget_tokens BIGINT NOT NULL,
  seconds DOUBLE NOT NULL
);
INSERT INTO outcomes_now BY NAME
SELECT * EXCLUDE (all_evidence, evidence_tokens, answer) FROM outcomes;
DROP TABLE outcomes;
ALTER TABLE outcomes_now RENAME TO outcomes;

CREATE TABLE trials_now (
  trial_hash VARCHAR PRIMARY KEY,
  strategy VARCHAR NOT NULL,
  spec JSON NOT NULL,
  traits JSON NOT NULL,
  budget VARCHAR NOT NULL,
  dataset VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  cluster VARCHAR NOT NULL,
  seed BIGINT NOT NULL,
  encoding VARCHAR NOT NULL,
  version VARCHAR NOT NULL,
  error VARCHAR,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
INSERT INTO trials_now BY NAME
SELECT * EXCLUDE (query_aware, probes), case_id AS cluster,
  json_object('family', 'custom', 'source', '', 'query_aware', query_aware) AS traits
FROM trials;
DROP TABLE trials;
ALTER TABLE trials_now RENAME TO trials;

CREATE TABLE experiments_now (
  id VARCHAR PRIMARY KEY,
  name VARCHAR NOT NULL,
  spec JSON NOT NULL,
  manifest JSON NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
INSERT INTO experiments_now BY NAME
SELECT * EXCLUDE (version), json_object('ctxlab', version) AS manifest FROM experiments;
DROP TABLE experiments;
ALTER TABLE experiments_now RENAME TO experiments;

CREATE TRIGGER trials_outcomes AFTER DELETE ON trials REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM outcomes WHERE trial_hash IN (SELECT trial_hash FROM o);
CREATE TRIGGER trials_ledger AFTER DELETE ON trials REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM ledger WHERE trial_hash IN (SELECT trial_hash FROM o);
CREATE TRIGGER trials_measurements AFTER DELETE ON trials REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM measurements WHERE trial_hash IN (SELECT trial_hash FROM o);
CREATE TRIGGER trials_metric_failures AFTER DELETE ON trials REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM metric_failures WHERE trial_hash IN (SELECT trial_hash FROM o);
CREATE TRIGGER experiments_trials AFTER DELETE ON experiments REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM experiment_trials WHERE experiment_id IN (SELECT id FROM o);
CREATE TRIGGER experiments_cases AFTER DELETE ON experiments REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM experiment_cases WHERE experiment_id IN (SELECT id FROM o);
CREATE TRIGGER experiments_metrics AFTER DELETE ON experiments REFERENCING OLD TABLE AS o
  FOR EACH STATEMENT DELETE FROM experiment_metrics WHERE experiment_id IN (SELECT id FROM o);
