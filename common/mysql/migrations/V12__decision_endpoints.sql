CREATE TABLE IF NOT EXISTS decision_endpoints (
    name      VARCHAR(100)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    seq       BIGINT UNSIGNED NOT NULL,
    added_at  DATETIME(6)     NOT NULL,
    paused_at DATETIME(6)     NULL,
    paused_by VARCHAR(200)    NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
