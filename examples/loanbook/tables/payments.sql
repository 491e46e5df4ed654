-- What ended each loan early, and what came in after charge-off. The file has totals, no dates, so months are derived:
-- prepayment: the month whose scheduled cumulative interest lies nearest to the interest that was paid;
-- default: the month after the last instalment that the cash before charge-off pays for;
-- recovery: net of the fee of the collector; its month is not in the data.
WITH loans AS (
    SELECT
        'lc-' || id AS loan_id,
        *,
        int_rate / 1200 AS r,
        greatest(round((total_pymnt - recoveries - total_rec_late_fee) / installment), 0) AS months_paid
    FROM read_parquet('data/lendingclub_2015_outcomes.parquet')
),
schedule AS (
    SELECT loan_id, month, installment * (1 - (1 + r) ** (month - 36)) / r AS balance,
        installment * month - installment * ((1 + r) ** (month - 36) - (1 + r) ** -36) / r AS interest
    FROM loans CROSS JOIN range(0, 37) AS months(month)
),
paid AS (
    SELECT loan_id, arg_min(month, abs(interest - total_rec_int)) AS month
    FROM loans JOIN schedule USING (loan_id)
    WHERE loan_status = 'Fully Paid' AND month >= 1
    GROUP BY loan_id
),
defaulted AS (
    SELECT loan_id, least(months_paid, 35)::INTEGER + 1 AS month, recoveries - collection_recovery_fee AS recovered
    FROM loans
    WHERE loan_status = 'Charged Off'
)
SELECT loan_id, month::INTEGER AS month, 'prepayment' AS kind, balance AS amount
FROM paid JOIN schedule USING (loan_id, month)
WHERE month < 36
UNION ALL
SELECT loan_id, defaulted.month, 'default', balance
FROM defaulted JOIN schedule USING (loan_id)
WHERE schedule.month = defaulted.month - 1
UNION ALL
SELECT loan_id, NULL, 'recovery', recovered
FROM defaulted
WHERE recovered > 0
ORDER BY loan_id, month
