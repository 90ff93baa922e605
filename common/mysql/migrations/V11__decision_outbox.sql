CREATE TABLE IF NOT EXISTS decision_outbox (
    decision CHAR(36)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    post     CHAR(36)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    revision INT UNSIGNED    NOT NULL,
    seq      BIGINT UNSIGNED NULL,
    body     LONGTEXT        CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    at       DATETIME(6)     NOT NULL,
    PRIMARY KEY (decision),
    UNIQUE KEY decision_outbox_seq (seq),
    KEY decision_outbox_due (seq, at, decision),
    KEY decision_outbox_post (post, revision)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
