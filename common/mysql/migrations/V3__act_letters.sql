CREATE TABLE IF NOT EXISTS act_letters (
    act       CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number    INT UNSIGNED NOT NULL,
    letter    VARCHAR(255) NOT NULL,
    outcome   VARCHAR(20)  CHARACTER SET ascii NOT NULL,
    detail    TEXT         NOT NULL,
    body      LONGBLOB     NULL,
    headers   JSON         NULL,
    at        DATETIME(6)  NOT NULL,
    PRIMARY KEY (act, number),
    KEY act_letters_letter (letter)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
