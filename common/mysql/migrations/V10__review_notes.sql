CREATE TABLE IF NOT EXISTS review_notes (
    id        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    case_id   CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    moderator VARCHAR(100) NOT NULL,
    text      TEXT         NOT NULL,
    at        DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    KEY review_notes_case (case_id, at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
