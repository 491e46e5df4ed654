-- What is known of a customer, and from when. A column named in [protected] stays out of every model.
SELECT customer_id, known_from::TIMESTAMPTZ AS known_from, score, age
FROM read_csv('data/customers.csv')
