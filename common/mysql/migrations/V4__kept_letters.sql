CREATE TABLE IF NOT EXISTS kept_letters (
    act        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number     INT UNSIGNED NOT NULL,
    transcript LONGTEXT     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (act, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
