-- Invented suppliers and purchase orders, to try invoice processing with.
CREATE TABLE suppliers (id TEXT PRIMARY KEY, name TEXT NOT NULL, vat TEXT NOT NULL, iban TEXT NOT NULL);
CREATE TABLE orders (
  number TEXT PRIMARY KEY, supplier TEXT NOT NULL REFERENCES suppliers, currency TEXT NOT NULL,
  total NUMERIC NOT NULL, invoiced NUMERIC NOT NULL DEFAULT 0
);
CREATE TABLE postings (
  supplier TEXT NOT NULL, number TEXT NOT NULL, order_number TEXT NOT NULL, issued TEXT NOT NULL,
  currency TEXT NOT NULL, total NUMERIC NOT NULL, billed_before NUMERIC, posted_by TEXT UNIQUE, UNIQUE (supplier, number)
);
-- Nothing is posted if its order was billed since it was compared: `billed_before` is what had been billed then. The row is
-- left out, and the workflow compares anew.
CREATE TRIGGER unchanged BEFORE INSERT ON postings
WHEN EXISTS (SELECT 1 FROM orders WHERE number = NEW.order_number AND ABS(invoiced - NEW.billed_before) >= 0.005) BEGIN
  SELECT RAISE(IGNORE);
END;
-- What is posted counts against its order.
CREATE TRIGGER counted AFTER INSERT ON postings BEGIN
  UPDATE orders SET invoiced = ROUND(invoiced + NEW.total, 2) WHERE number = NEW.order_number;
END;
INSERT INTO suppliers VALUES
  ('S-100', 'Nordlicht Papier GmbH', 'DE811569869', 'DE89370400440532013000'),
  ('S-101', 'Harbour Tools Ltd', 'GB980780684', 'GB29NWBK60161331926819'),
  ('S-102', 'Lumière Fournitures SARL', 'FR40303265045', 'FR1420041010050500013M02606'),
  ('S-103', 'Waterland Kantoor B.V.', 'NL859364210B01', 'NL91ABNA0417164300'),
  ('S-104', 'Colosseo Grafica S.r.l.', 'IT00743110157', 'IT60X0542811101000000123456');
INSERT INTO orders VALUES
  ('PO-4711', 'S-100', 'EUR', 595.00, 0), ('PO-4712', 'S-101', 'GBP', 1200.00, 0), ('PO-4713', 'S-102', 'EUR', 348.00, 0),
  ('PO-4714', 'S-103', 'EUR', 847.00, 0), ('PO-4715', 'S-104', 'EUR', 1220.00, 0), ('PO-4716', 'S-100', 'EUR', 238.00, 0),
  ('PO-4717', 'S-100', 'EUR', 119.00, 0), ('PO-4718', 'S-101', 'GBP', 360.00, 0);
INSERT INTO postings VALUES ('S-101', 'HT-2025-118', 'PO-4690', '2025-11-03', 'GBP', 240, 0, 'before');
