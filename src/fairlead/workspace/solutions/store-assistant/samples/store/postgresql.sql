-- The same invented stores for PostgreSQL: psql -f samples/store/postgresql.sql, then the block of postgresql.yaml.
CREATE TABLE staff (person TEXT PRIMARY KEY, store INTEGER NOT NULL);
CREATE TABLE products (
  sku TEXT PRIMARY KEY, name TEXT NOT NULL, price NUMERIC NOT NULL, cost NUMERIC NOT NULL, least_margin NUMERIC NOT NULL
);
CREATE TABLE stock (store INTEGER NOT NULL, sku TEXT NOT NULL REFERENCES products, pieces INTEGER NOT NULL,
  PRIMARY KEY (store, sku));
CREATE TABLE discounts (
  once TEXT PRIMARY KEY, store INTEGER NOT NULL, sku TEXT NOT NULL REFERENCES products, customer TEXT NOT NULL,
  percent NUMERIC NOT NULL, reason TEXT NOT NULL, given_by TEXT NOT NULL, given_on DATE NOT NULL DEFAULT CURRENT_DATE
);
-- Whose turn it was last: one row a customer. PostgreSQL lets two statements look at `discounts` at once and both find
-- nothing; of two that take one row, the second waits for the first, and sees what it did.
CREATE TABLE turns (customer TEXT PRIMARY KEY, once TEXT NOT NULL, given_on DATE NOT NULL);
INSERT INTO staff VALUES ('*', 12), ('noor', 12), ('ida', 12), ('sam', 13), ('omar', 13);
INSERT INTO products VALUES
  ('SH-100', 'Oak stool', 89.00, 52.00, 20), ('LA-210', 'Brass lamp', 149.00, 84.00, 20),
  ('RU-330', 'Wool rug', 240.00, 190.00, 15), ('CH-440', 'Beech chair', 65.00, 30.00, 25);
INSERT INTO stock VALUES
  (12, 'SH-100', 14), (12, 'LA-210', 3), (12, 'RU-330', 0), (12, 'CH-440', 22),
  (13, 'SH-100', 2), (13, 'LA-210', 41), (13, 'RU-330', 5);
INSERT INTO discounts (once, store, sku, customer, percent, reason, given_by) VALUES
  ('sample', 12, 'CH-440', 'C-7', 5, 'late delivery', 'ida');
INSERT INTO turns VALUES ('C-7', 'sample', CURRENT_DATE);
