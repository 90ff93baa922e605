CREATE TABLE IF NOT EXISTS operations (
    id        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind      VARCHAR(20)  CHARACTER SET ascii NOT NULL,
    actor     VARCHAR(200) NOT NULL,
    prefix    VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    selection JSON         NOT NULL,
    begun_at  DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    KEY operations_of_a_prefix (prefix, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
