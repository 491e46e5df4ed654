-- What followed. Interest is contractual, not cash: size x monthly rate x term for loans of 1, 4 and 18 months, and less
-- for those of 6 and 12 months, which is why the rand-months that bore interest are an outcome of their own. Arrears are
-- the average amount past due over months 7 to 12, not a loss. Amounts exist for takers only.
SELECT
    'kz-' || lpad(file_row_number::VARCHAR, 5, '0') AS decision_id,
    CASE wave WHEN 1 THEN TIMESTAMPTZ '2004-08-01 00:00:00Z'
              WHEN 2 THEN TIMESTAMPTZ '2004-10-01 00:00:00Z'
              WHEN 3 THEN TIMESTAMPTZ '2004-11-01 00:00:00Z' END AS observed_until,
    tookup::DOUBLE AS took_up,
    CASE WHEN tookup = 1 THEN loansize::DOUBLE END AS amount_lent,
    CASE WHEN tookup = 1 THEN term::DOUBLE END AS term_months,
    CASE WHEN tookup = 1 THEN loansize::DOUBLE * term END AS amount_months,
    CASE WHEN tookup = 1 THEN grossinterest::DOUBLE END AS interest,
    CASE WHEN tookup = 1 THEN grossinterest::DOUBLE / (offer4 / 100) END AS interest_months,
    CASE WHEN tookup = 1 THEN pstdue_average::DOUBLE END AS arrears,
    CASE WHEN tookup = 1 THEN final4::DOUBLE END AS contract_rate_pp
FROM read_parquet('data/kz_demandelasts_aer08.parquet', file_row_number = true)
