CREATE TABLE IF NOT EXISTS posts (
    id           CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    title        VARCHAR(255) NOT NULL,
    content      MEDIUMTEXT   NOT NULL,
    author       VARCHAR(100) NULL,
    verdict      ENUM('approved', 'held', 'rejected') CHARACTER SET ascii NOT NULL,
    reasons      JSON         NOT NULL,
    ruleset      VARCHAR(100) NOT NULL,
    submitted_at DATETIME(6)  NOT NULL,
    reviewed_at  DATETIME(6)  NOT NULL,
    recorded_at  DATETIME(6)  NOT NULL,
    worker       VARCHAR(200) NOT NULL,
    attempts     INT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
