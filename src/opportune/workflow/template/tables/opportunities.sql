-- One row per letter that could be sent: who, when, on which surface, in which context. No outcomes here.
SELECT letter_id AS opportunity_id, customer_id, '1' AS slot, sent_at::TIMESTAMPTZ AS at,
    'mail' AS surface, 'marketing' AS stage, band, branch
FROM read_csv('data/letters.csv')
