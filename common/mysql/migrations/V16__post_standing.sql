CREATE OR REPLACE VIEW post_standing AS
SELECT p.id AS post, COALESCE(d.verdict, p.verdict) AS standing, COALESCE(d.revision, 0) AS revision,
       COALESCE(d.decided_at, p.recorded_at) AS since
FROM posts p
LEFT JOIN review_decisions d
    ON d.post = p.id AND d.revision = (SELECT MAX(l.revision) FROM review_decisions l WHERE l.post = p.id)
