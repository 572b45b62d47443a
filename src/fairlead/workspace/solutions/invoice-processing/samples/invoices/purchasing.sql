-- Invented suppliers and purchase orders, to try invoice processing with.
CREATE TABLE suppliers (id TEXT PRIMARY KEY, name TEXT NOT NULL, vat TEXT NOT NULL, iban TEXT NOT NULL);
CREATE TABLE orders (
  number TEXT PRIMARY KEY, supplier TEXT NOT NULL REFERENCES suppliers, currency TEXT NOT NULL,
  total NUMERIC NOT NULL, invoiced NUMERIC NOT NULL DEFAULT 0
);
CREATE TABLE postings (
  supplier TEXT NOT NULL, number TEXT NOT NULL, order_number TEXT NOT NULL, issued TEXT NOT NULL,
  currency TEXT NOT NULL, total NUMERIC NOT NULL, UNIQUE (supplier, number)
);
INSERT INTO suppliers VALUES
  ('S-100', 'Nord Papier GmbH', 'DE811569869', 'DE89370400440532013000'),
  ('S-101', 'Harbour Tools Ltd', 'GB980780684', 'GB29NWBK60161331926819');
INSERT INTO orders VALUES
  ('PO-4711', 'S-100', 'EUR', 595.00, 0),
  ('PO-4712', 'S-101', 'GBP', 1200.00, 0);
INSERT INTO postings VALUES ('S-101', 'HT-2025-118', 'PO-4690', '2025-11-03', 'GBP', 240);
