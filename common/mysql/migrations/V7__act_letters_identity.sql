ALTER TABLE act_letters
    MODIFY COLUMN letter VARBINARY(255) NOT NULL,
    ADD COLUMN post  CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN death JSON NULL,
    ADD KEY act_letters_post (post)
