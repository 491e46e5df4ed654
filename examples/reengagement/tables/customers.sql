-- A customer as known on the day before the letter. Trap: a score of 0 means that there is no score, and an age of 0
-- that there is no age. Income was not recorded for the July letters.
SELECT
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS customer_id,
    CASE wave WHEN 1 THEN TIMESTAMPTZ '2003-06-30 00:00:00Z'
              WHEN 2 THEN TIMESTAMPTZ '2003-08-31 00:00:00Z'
              WHEN 3 THEN TIMESTAMPTZ '2003-09-30 00:00:00Z' END AS known_from,
    nullif(itcscore, 0)::DOUBLE AS bureau_score,
    nullif(appscore, 0)::DOUBLE AS internal_score,
    CASE WHEN wave > 1 THEN grossincome END AS gross_income_thousands,
    trcount AS loans_before,
    nullif(age, 0)::DOUBLE AS age,
    female,
    married,
    dependants
FROM read_parquet('data/kz_demandelasts_aer08.parquet', file_row_number = true)
