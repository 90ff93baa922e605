CREATE TABLE IF NOT EXISTS acts (
    id        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind      VARCHAR(20)  CHARACTER SET ascii NOT NULL,
    actor     VARCHAR(200) NOT NULL,
    prefix    VARCHAR(100) NOT NULL,
    selection JSON         NOT NULL,
    begun_at  DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    KEY acts_begun_at (begun_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
