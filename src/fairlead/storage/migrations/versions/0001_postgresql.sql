-- What only PostgreSQL has, beside the tables of 0001_begin.py.
--
-- A group of writes is one call of fairlead_write, which is one transaction. It decides exactly as `storage/group.py`
-- does; a test runs the same histories through both. Entries land in `arrived`; fairlead_sequence gives them their
-- places in the audit tree afterwards, so that hosts do not queue for the tree's head.

-- Acknowledged entries without a place yet, in the order of arrival. Empty `subject`: no payload.
CREATE TABLE arrived (
    ticket bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_arrived PRIMARY KEY,
    run text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    record bytea NOT NULL,
    spans bytea NOT NULL,
    subject text COLLATE "C" NOT NULL,
    ciphertext bytea NOT NULL
);

-- The answers to each worker's last group: who lost the connection while it was committed asks here what came of it.
CREATE TABLE last_group (
    worker text COLLATE "C" CONSTRAINT pk_last_group PRIMARY KEY,
    token bigint NOT NULL,
    outcomes bigint[] NOT NULL,
    refusers bigint[] NOT NULL,
    lefts numeric[] NOT NULL,
    warned bigint[] NOT NULL
) WITH (fillfactor = 40);

-- How often each word occurs in the fields of each section of context. Nothing in it is ever changed.
CREATE TABLE context_word (
    word text COLLATE "C" NOT NULL,
    section bigint NOT NULL,
    title integer NOT NULL,
    heading integer NOT NULL,
    body integer NOT NULL,
    CONSTRAINT pk_context_word PRIMARY KEY (word, section)
);

-- Positions in arrays count from 1; 0 means none. `a_close` and `an_open` say for each write which close and which
-- open is its own; `close_scope[c]` up to `close_scope[c + 1] - 1` are the limits of close c, likewise for opens.
-- A warning threshold of -1 means none. Outcomes: 0 done, 1 settled before, 2 over budget.
CREATE FUNCTION fairlead_write(
    worker_ text, token_ bigint, now_ bigint,
    scopes text[], periods text[],
    a_close bigint[], an_open bigint[],
    close_id text[], close_amount bigint[], close_spent bigint[],
    close_first bigint[], close_key bigint[], close_warn bigint[],
    open_id text[], open_amount bigint[], open_limits bytea[], open_intent bytea[],
    open_first bigint[], open_key bigint[], open_cap bigint[],
    entry_of bigint[], runs text[], ats bigint[], records bytea[], span_blobs bytea[], subjects text[], sealed bytea[],
    OUT outcomes bigint[], OUT refusers bigint[], OUT lefts numeric[], OUT warned bigint[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    most CONSTANT numeric := 9223372036854775807;
    writes CONSTANT integer := cardinality(a_close);
    keys CONSTANT integer := cardinality(scopes);
    held_ bigint[] := array_fill(0::bigint, ARRAY[keys]);
    spent_ bigint[] := array_fill(0::bigint, ARRAY[keys]);
    warned_ boolean[] := array_fill(false, ARRAY[keys]);
    touched boolean[] := array_fill(false, ARRAY[keys]);
    there boolean[] := array_fill(false, ARRAY[cardinality(close_id)]);
    opened boolean[] := array_fill(false, ARRAY[cardinality(open_id)]);
    appended boolean[] := array_fill(false, ARRAY[writes]);
    row_ record;
    locked integer := 0;
    warning_due boolean := false;
    c integer; o integer; k integer; j integer;
    refuser integer;
    left_ numeric; tightest numeric;
BEGIN
    outcomes := array_fill(0::bigint, ARRAY[writes]);
    refusers := '{}'; lefts := '{}'; warned := '{}';

    -- Locks are taken in one order by everybody: holds by id, new budgets by key, budgets by key.
    IF cardinality(close_id) > 0 THEN
        FOR row_ IN
            WITH mine AS (
                SELECT id FROM hold WHERE id = ANY(close_id) ORDER BY id FOR UPDATE
            ), closed AS (
                DELETE FROM hold USING mine WHERE hold.id = mine.id RETURNING hold.id
            )
            SELECT array_position(close_id, closed.id) AS at_ FROM closed
        LOOP
            there[row_.at_] := true;
        END LOOP;
    END IF;

    IF keys > 0 THEN
        SELECT count(*) INTO locked
            FROM budget JOIN unnest(scopes, periods) AS wanted(s, p) ON scope = wanted.s AND period = wanted.p;
        IF locked < keys THEN
            INSERT INTO budget (scope, period, held, spent, warned)
                SELECT s, p, 0, 0, false FROM unnest(scopes, periods) AS wanted(s, p)
                ORDER BY s COLLATE "C", p COLLATE "C"
                ON CONFLICT DO NOTHING;
        END IF;
        locked := 0;
        FOR row_ IN
            SELECT wanted.n, budget.held, budget.spent, budget.warned
            FROM budget JOIN unnest(scopes, periods) WITH ORDINALITY AS wanted(s, p, n)
                ON scope = wanted.s AND period = wanted.p
            ORDER BY scope, period FOR UPDATE OF budget
        LOOP
            held_[row_.n] := row_.held; spent_[row_.n] := row_.spent; warned_[row_.n] := row_.warned;
            locked := locked + 1;
        END LOOP;
        IF locked < keys THEN
            RAISE EXCEPTION 'a budget was forgotten meanwhile' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;

    -- Closes come before opens: money that is given back in a group can be held again in it.
    FOR c IN 1 .. cardinality(close_id) LOOP
        CONTINUE WHEN NOT there[c];
        FOR j IN close_first[c] .. close_first[c + 1] - 1 LOOP
            k := close_key[j];
            held_[k] := greatest(held_[k] - close_amount[c], 0);
            spent_[k] := least(spent_[k]::numeric + close_spent[c], most);
            touched[k] := true;
            IF close_warn[j] >= 0 AND NOT warned_[k] AND spent_[k] >= close_warn[j] THEN
                warning_due := true;
            END IF;
        END LOOP;
    END LOOP;

    FOR i IN 1 .. writes LOOP
        c := a_close[i]; o := an_open[i]; refuser := 0;
        IF c > 0 AND NOT there[c] THEN
            outcomes[i] := 1;
            CONTINUE;
        END IF;
        IF o > 0 THEN
            FOR j IN open_first[o] .. open_first[o + 1] - 1 LOOP
                k := open_key[j];
                left_ := open_cap[j]::numeric - held_[k] - spent_[k];
                IF open_amount[o] > left_ AND (refuser = 0 OR left_ < tightest) THEN
                    tightest := left_; refuser := j;
                END IF;
            END LOOP;
            IF refuser > 0 THEN
                outcomes[i] := 2;
                refusers := refusers || refuser::bigint; lefts := lefts || greatest(tightest, 0);
                CONTINUE WHEN c = 0;
            ELSE
                FOR j IN open_first[o] .. open_first[o + 1] - 1 LOOP
                    k := open_key[j];
                    held_[k] := held_[k] + open_amount[o];
                    touched[k] := true;
                END LOOP;
                opened[o] := true;
            END IF;
        END IF;
        appended[i] := true;
        IF warning_due AND c > 0 AND refuser = 0 THEN
            FOR j IN close_first[c] .. close_first[c + 1] - 1 LOOP
                k := close_key[j];
                IF close_warn[j] >= 0 AND NOT warned_[k] AND spent_[k] >= close_warn[j] THEN
                    warned_[k] := true;
                    warned := warned || j::bigint;
                END IF;
            END LOOP;
        END IF;
    END LOOP;

    UPDATE budget SET held = now_is.h, spent = now_is.x, warned = now_is.w
        FROM unnest(scopes, periods, held_, spent_, warned_, touched) AS now_is(s, p, h, x, w, t)
        WHERE scope = now_is.s AND period = now_is.p AND now_is.t;
    IF true = ANY(opened) THEN
        INSERT INTO hold (id, worker, opened_at, amount, limits, intent)
            SELECT h.id, worker_, now_, h.amount, h.limits, h.intent
            FROM unnest(open_id, open_amount, open_limits, open_intent, opened) AS h(id, amount, limits, intent, fits)
            WHERE h.fits;
    END IF;
    IF cardinality(entry_of) > 0 THEN
        INSERT INTO arrived (run, at, record, spans, subject, ciphertext)
            SELECT e.run, e.at, e.record, e.spans, e.subject, e.ciphertext
            FROM unnest(entry_of, runs, ats, records, span_blobs, subjects, sealed) WITH ORDINALITY
                AS e(of, run, at, record, spans, subject, ciphertext, n)
            WHERE appended[e.of]
            ORDER BY e.n;
    END IF;
    INSERT INTO last_group AS mine (worker, token, outcomes, refusers, lefts, warned)
        VALUES (worker_, token_, fairlead_write.outcomes, fairlead_write.refusers, fairlead_write.lefts,
                fairlead_write.warned)
        ON CONFLICT (worker) DO UPDATE SET token = excluded.token, outcomes = excluded.outcomes,
            refusers = excluded.refusers, lefts = excluded.lefts, warned = excluded.warned;
END
$$;

-- Gives arrived entries the next places in the audit tree (RFC 9162), in the order of arrival, and moves its head.
-- Returns how many, or -1 where somebody else is at it. An entry whose transaction is still open is placed later: what
-- was acknowledged before another began always comes before it.
CREATE FUNCTION fairlead_sequence(at_most integer) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    size_ bigint := 0;
    stored bytea;
    peaks_ bytea[] := '{}';
    top integer := 0;
    leaves bytea[];
    node bytea;
    carry bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('fairlead'), 1) THEN
        RETURN -1;
    END IF;
    SELECT size, peaks INTO size_, stored FROM tree WHERE id = 1;
    IF FOUND THEN
        IF length(stored) % 32 <> 8 OR substr(stored, 1, 8) <> int8send(size_) THEN
            RAISE EXCEPTION 'the head of the audit tree is damaged' USING ERRCODE = 'data_corrupted';
        END IF;
        top := (length(stored) - 8) / 32;
        FOR i IN 1 .. top LOOP
            peaks_[i] := substr(stored, 9 + 32 * (i - 1), 32);
        END LOOP;
    ELSE
        size_ := 0;
    END IF;
    WITH taken AS (
        DELETE FROM arrived WHERE ticket IN (SELECT ticket FROM arrived ORDER BY ticket LIMIT at_most) RETURNING *
    ), placed AS (
        SELECT *, size_ - 1 + row_number() OVER (ORDER BY ticket) AS seq FROM taken
    ), logged AS (
        INSERT INTO log (seq, run, at, record, spans) SELECT seq, run, at, record, spans FROM placed
    ), kept AS (
        INSERT INTO payload (seq, subject, ciphertext)
            SELECT seq, subject, ciphertext FROM placed WHERE subject <> ''
    )
    SELECT array_agg(sha256('\x00'::bytea || record) ORDER BY seq) INTO leaves FROM placed;
    IF leaves IS NULL THEN
        RETURN 0;
    END IF;
    FOREACH node IN ARRAY leaves LOOP
        carry := size_;
        WHILE carry & 1 = 1 LOOP
            node := sha256('\x01'::bytea || peaks_[top] || node);
            top := top - 1;
            carry := carry >> 1;
        END LOOP;
        top := top + 1;
        peaks_[top] := node;
        size_ := size_ + 1;
    END LOOP;
    stored := int8send(size_);
    FOR i IN 1 .. top LOOP
        stored := stored || peaks_[i];
    END LOOP;
    INSERT INTO tree (id, size, peaks) VALUES (1, size_, stored)
        ON CONFLICT (id) DO UPDATE SET size = excluded.size, peaks = excluded.peaks;
    RETURN cardinality(leaves);
END
$$;
