ALTER TABLE review_cases
    MODIFY COLUMN kind ENUM('held', 'appeal', 'second') CHARACTER SET ascii NOT NULL,
    ADD COLUMN opinion CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL
