-- What followed, and up to when it was watched. Amounts exist for takers only; leave them null for the others.
SELECT letter_id AS decision_id, observed_until::TIMESTAMPTZ AS observed_until, took_up::DOUBLE AS took_up,
    amount_lent, term_months::DOUBLE AS term_months, amount_lent * term_months AS amount_months,
    amount_lent * term_months AS interest_months,
    amount_lent * term_months * monthly_rate_pp / 100 AS interest, arrears
FROM read_csv('data/letters.csv')
