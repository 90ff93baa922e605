ALTER TABLE acts
    ADD KEY acts_of_a_prefix (prefix, id)
