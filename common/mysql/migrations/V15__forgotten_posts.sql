CREATE TABLE IF NOT EXISTS forgotten_posts (
    post   CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor  VARCHAR(200) NOT NULL,
    reason TEXT         NULL,
    at     DATETIME(6)  NOT NULL,
    PRIMARY KEY (post)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
