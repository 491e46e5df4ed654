-- The last loan of each former client: the data give its amount, its term and the months since.
SELECT
    'loan-' || lpad(file_row_number::VARCHAR, 5, '0') AS event_id,
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS customer_id,
    'loan' AS kind,
    CASE wave WHEN 1 THEN TIMESTAMPTZ '2003-06-30 00:00:00Z'
              WHEN 2 THEN TIMESTAMPTZ '2003-08-31 00:00:00Z'
              WHEN 3 THEN TIMESTAMPTZ '2003-09-30 00:00:00Z' END - to_months(dormancy::INTEGER) AS event_time,
    lastamount AS amount,
    lastterm AS last_term_months
FROM read_parquet('data/kz_demandelasts_aer08.parquet', file_row_number = true)
