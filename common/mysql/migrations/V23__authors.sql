CREATE TABLE IF NOT EXISTS authors (
    sender     VARCHAR(50)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name       VARBINARY(400) NOT NULL,
    first_seen DATETIME(6)    NOT NULL,
    PRIMARY KEY (sender, name)
) ENGINE = InnoDB
