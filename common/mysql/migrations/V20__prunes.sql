CREATE TABLE IF NOT EXISTS prunes (
    id            CHAR(36)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor         VARCHAR(200)    NOT NULL,
    stored_before DATETIME(6)     NOT NULL,
    verdicts      VARCHAR(100)    CHARACTER SET ascii NOT NULL,
    begun_at      DATETIME(6)     NOT NULL,
    pruned        BIGINT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
