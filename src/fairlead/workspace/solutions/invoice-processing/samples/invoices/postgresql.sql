-- The same invented suppliers and orders for PostgreSQL: psql -d purchasing -f samples/invoices/postgresql.sql, then the
-- block of postgresql.yaml.
CREATE TABLE suppliers (id TEXT PRIMARY KEY, name TEXT NOT NULL, vat TEXT NOT NULL, iban TEXT NOT NULL);
CREATE TABLE orders (
  number TEXT PRIMARY KEY, supplier TEXT NOT NULL REFERENCES suppliers, currency TEXT NOT NULL,
  total NUMERIC NOT NULL, invoiced NUMERIC NOT NULL DEFAULT 0
);
-- Two keys keep an invoice from being posted twice, however many post at once: one step of a run writes one row
-- (`posted_by`), and of two runs with the same invoice the second fails (`supplier, number`).
CREATE TABLE postings (
  supplier TEXT NOT NULL, number TEXT NOT NULL, order_number TEXT NOT NULL, issued TEXT NOT NULL,
  currency TEXT NOT NULL, total NUMERIC NOT NULL, billed_before NUMERIC, posted_by TEXT UNIQUE, UNIQUE (supplier, number)
);
-- Nothing is posted if its order was billed since it was compared: `billed_before` is what had been billed then. The row is
-- left out, and the workflow compares anew. The order's row is locked first, so that of two invoices of one order the
-- second sees what the first has billed.
CREATE FUNCTION order_is_unchanged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE billed NUMERIC;
BEGIN
  SELECT invoiced INTO billed FROM orders WHERE number = NEW.order_number FOR UPDATE;
  IF FOUND AND ABS(billed - NEW.billed_before) >= 0.005 THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER unchanged BEFORE INSERT ON postings FOR EACH ROW EXECUTE FUNCTION order_is_unchanged();
-- What is posted counts against its order. It is done with the rights of whoever made this, so that the account that posts
-- needs none to change orders; two postings of one order wait for each other at its row.
CREATE FUNCTION count_posting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE orders SET invoiced = ROUND(invoiced + NEW.total, 2) WHERE number = NEW.order_number;
  RETURN NULL;
END $$;
CREATE TRIGGER counted AFTER INSERT ON postings FOR EACH ROW EXECUTE FUNCTION count_posting();
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
