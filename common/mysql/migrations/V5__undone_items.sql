CREATE TABLE IF NOT EXISTS undone_items (
    of_operation CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    of_number    INT UNSIGNED NOT NULL,
    operation    CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number       INT UNSIGNED NOT NULL,
    PRIMARY KEY (of_operation, of_number)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
