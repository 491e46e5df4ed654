-- The offers that were made. Probabilities are estimated as shares within each stratum: name the stratum in which the
-- price was drawn at random.
SELECT letter_id AS decision_id, letter_id AS opportunity_id, customer_id, '1' AS slot,
    sent_at::TIMESTAMPTZ AS decided_at, band || ' ' || sent_at::DATE AS stratum, monthly_rate_pp
FROM read_csv('data/letters.csv')
