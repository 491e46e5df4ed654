-- The offer that was logged: a monthly rate, drawn at random within the risk band of each wave. The probabilities
-- are not in the data: they are estimated per stratum. Trap: `yearlong` was not random in waves 1 and 2 and
-- `termshown` exists for some letters only; neither is used.
SELECT
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS decision_id,
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS opportunity_id,
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS customer_id,
    '1' AS slot,
    CASE wave WHEN 1 THEN TIMESTAMPTZ '2003-07-01 00:00:00Z'
              WHEN 2 THEN TIMESTAMPTZ '2003-09-01 00:00:00Z'
              WHEN 3 THEN TIMESTAMPTZ '2003-10-01 00:00:00Z' END AS decided_at,
    risk || ' wave ' || wave::VARCHAR AS stratum,
    offer4 AS monthly_rate_pp
FROM read_parquet('data/kz_demandelasts_aer08.parquet', file_row_number = true)
