-- What happened, and when it arrived here. A feature only ever sees rows that had arrived.
SELECT event_id, customer_id, event_time::TIMESTAMPTZ AS event_time, arrived_at::TIMESTAMPTZ AS arrived_at, kind, amount
FROM read_csv('data/events.csv')
