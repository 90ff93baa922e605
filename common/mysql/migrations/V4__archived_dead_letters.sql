CREATE TABLE IF NOT EXISTS archived_dead_letters (
    operation  CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number     INT UNSIGNED NOT NULL,
    transcript LONGTEXT     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (operation, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
