CREATE TABLE IF NOT EXISTS decision_deliveries (
    endpoint     VARCHAR(100)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    decision     CHAR(36)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    post         CHAR(36)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    seq          BIGINT UNSIGNED NOT NULL,
    attempts     INT UNSIGNED    NOT NULL DEFAULT 0,
    next_at      DATETIME(6)     NOT NULL,
    lease        CHAR(36)        CHARACTER SET ascii COLLATE ascii_bin NULL,
    lease_until  DATETIME(6)     NULL,
    status       SMALLINT UNSIGNED NULL,
    error        VARCHAR(500)    NULL,
    delivered_at DATETIME(6)     NULL,
    PRIMARY KEY (endpoint, decision),
    KEY decision_deliveries_due (endpoint, delivered_at, next_at),
    KEY decision_deliveries_post (endpoint, post, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
