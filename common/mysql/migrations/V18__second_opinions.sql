CREATE TABLE IF NOT EXISTS second_opinions (
    id          CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    post        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    case_id     CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    of_decision CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    verdict     ENUM('approved', 'rejected') CHARACTER SET ascii NOT NULL,
    policies    JSON         NOT NULL,
    policyset   VARCHAR(100) NULL,
    note        TEXT         NULL,
    given_by    VARCHAR(100) NOT NULL,
    role        VARCHAR(20)  CHARACTER SET ascii NOT NULL,
    given_at    DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY second_opinions_of_a_case (case_id),
    KEY second_opinions_post (post, given_at),
    KEY second_opinions_at (given_at),
    KEY second_opinions_by (given_by, given_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
