CREATE TABLE IF NOT EXISTS review_claims (
    id        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    case_id   CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    moderator VARCHAR(100) NOT NULL,
    at        DATETIME(6)  NOT NULL,
    ended_at  DATETIME(6)  NULL,
    outcome   VARCHAR(20)  CHARACTER SET ascii NULL,
    PRIMARY KEY (id, case_id),
    KEY review_claims_moderator (moderator, at),
    KEY review_claims_case (case_id, at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
