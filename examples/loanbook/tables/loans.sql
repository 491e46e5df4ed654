-- One row per loan. All are 36-month loans, so the principal follows from the instalment and the rate. Outcomes are
-- those of the release of September 2018, which is as long as a loan was observed.
SELECT
    'lc-' || id AS loan_id,
    grade,
    sub_grade,
    issue_d AS originated_at,
    installment * (1 - (1 + int_rate / 1200) ** -36) / (int_rate / 1200) AS principal,
    int_rate / 100 AS rate,
    36 AS term_months,
    date_diff('month', issue_d, DATE '2018-09-01')::INTEGER AS observed_months
FROM read_parquet('data/lendingclub_2015_outcomes.parquet')
