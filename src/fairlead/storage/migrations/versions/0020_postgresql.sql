-- fairlead_write anew: what was allotted, moved and carried over counts with the cap, and a budget warns at several
-- shares of both. It decides exactly as `storage/group.py` does.

DROP FUNCTION fairlead_write;

-- Positions in arrays count from 1; 0 means none. `a_close` and `an_open` say for each write which close and which
-- open is its own; `close_scope[c]` up to `close_scope[c + 1] - 1` are the limits of close c, likewise for opens.
-- The shares of limit j of the closes are `close_shares[share_first[j]]` up to before `share_first[j + 1]`. A warning is
-- told as 1000 times the limit's position, and the share. Outcomes: 0 done, 1 settled before, 2 over budget.
CREATE FUNCTION fairlead_write(
    worker_ text, token_ bigint, now_ bigint,
    scopes text[], periods text[],
    a_close bigint[], an_open bigint[],
    close_id text[], close_amount bigint[], close_spent bigint[],
    close_first bigint[], close_key bigint[], close_cap bigint[], share_first bigint[], close_shares bigint[],
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
    extra_ bigint[] := array_fill(0::bigint, ARRAY[keys]);
    passed_ bigint[] := array_fill(0::bigint, ARRAY[keys]);
    told_ bigint[] := array_fill(0::bigint, ARRAY[keys]);
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
            INSERT INTO budget (scope, period, held, spent)
                SELECT s, p, 0, 0 FROM unnest(scopes, periods) AS wanted(s, p)
                ORDER BY s COLLATE "C", p COLLATE "C"
                ON CONFLICT DO NOTHING;
        END IF;
        locked := 0;
        FOR row_ IN
            SELECT wanted.n, budget.held, budget.spent, budget.extra, budget.passed, budget.told
            FROM budget JOIN unnest(scopes, periods) WITH ORDINALITY AS wanted(s, p, n)
                ON scope = wanted.s AND period = wanted.p
            ORDER BY scope, period FOR UPDATE OF budget
        LOOP
            held_[row_.n] := row_.held; spent_[row_.n] := row_.spent; extra_[row_.n] := row_.extra;
            passed_[row_.n] := row_.passed; told_[row_.n] := row_.told;
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
            IF share_first[j + 1] > share_first[j] THEN
                left_ := close_cap[j]::numeric + extra_[k];
                IF left_ > 0 THEN
                    FOR s IN share_first[j] .. share_first[j + 1] - 1 LOOP
                        IF passed_[k] < close_shares[s] AND spent_[k]::numeric * 100 >= close_shares[s] * left_ THEN
                            passed_[k] := close_shares[s];
                        END IF;
                    END LOOP;
                END IF;
                warning_due := warning_due OR passed_[k] > told_[k];
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
                left_ := open_cap[j]::numeric + extra_[k] - held_[k] - spent_[k];
                IF open_amount[o] > left_ AND open_amount[o] > 0 AND (refuser = 0 OR left_ < tightest) THEN
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
                IF share_first[j + 1] > share_first[j] AND passed_[k] > told_[k] THEN
                    told_[k] := passed_[k];
                    warned := warned || (j::bigint * 1000 + passed_[k]);
                END IF;
            END LOOP;
        END IF;
    END LOOP;

    UPDATE budget SET held = now_is.h, spent = now_is.x, passed = now_is.a, told = now_is.w
        FROM unnest(scopes, periods, held_, spent_, passed_, told_, touched) AS now_is(s, p, h, x, a, w, t)
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
