CREATE TABLE IF NOT EXISTS pruned_posts (
    post  CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    prune CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (post)
) ENGINE = InnoDB
