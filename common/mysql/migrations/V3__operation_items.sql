CREATE TABLE IF NOT EXISTS operation_items (
    operation   CHAR(36)       CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number      INT UNSIGNED   NOT NULL,
    dead_letter VARBINARY(255) NOT NULL,
    post        CHAR(36)       CHARACTER SET ascii COLLATE ascii_bin NULL,
    outcome     VARCHAR(20)    CHARACTER SET ascii NOT NULL,
    detail      TEXT           NOT NULL,
    death       JSON           NULL,
    at          DATETIME(6)    NOT NULL,
    PRIMARY KEY (operation, number),
    KEY operation_items_dead_letter (dead_letter),
    KEY operation_items_post (post)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4
