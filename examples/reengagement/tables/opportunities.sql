-- One letter that could be sent. Only what is known before it, and what the offer depends on (the risk band).
-- Months are all that the data tell of time: a letter is placed on the first day of its month.
SELECT
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS opportunity_id,
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS customer_id,   -- no id links the waves
    '1' AS slot,
    CASE wave WHEN 1 THEN TIMESTAMPTZ '2003-07-01 00:00:00Z'
              WHEN 2 THEN TIMESTAMPTZ '2003-09-01 00:00:00Z'
              WHEN 3 THEN TIMESTAMPTZ '2003-10-01 00:00:00Z' END AS at,
    'mail' AS surface,
    'marketing' AS stage,
    risk AS risk_band,
    branchuse AS branch
FROM read_parquet('data/kz_demandelasts_aer08.parquet', file_row_number = true)
