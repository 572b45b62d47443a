"""Statements for tests: usual ones, hostile ones, random ones, and random ones with something hostile put into them."""

from hypothesis import strategies as st

USUAL = [
    "SELECT * FROM orders",
    "select id, item from orders where amount > 10 order by placed desc nulls last limit 5 offset 2",
    "select o.item, s.city from orders o join shops s on s.id = o.id where o.note is not null",
    "select item, count(*) as many, sum(amount) from orders group by item having count(*) > 1",
    "select date_trunc('month', placed), sum(amount) from orders group by 1 order by 1",
    "with big as (select * from orders where amount > 5) select count(*) from big",
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select i from n",
    "select id from orders union all select id from shops order by 1",
    "select id from orders except select id from shops",
    "select case when amount > 5 then 'much' else 'little' end from orders",
    "select coalesce(note, ''), lower(item) || '!', cast(amount as text), amount::int from orders",
    "select *, row_number() over (partition by item order by amount) from orders",
    "select item from orders where id in (select id from shops) and exists (select 1 from shops)",
    "select item from orders where item ilike '%x%' and id between 1 and 3 or not id = 4",
    "select extract(year from placed), placed + interval '1 day', current_date from orders",
    "select distinct on (item) item, placed from orders order by item, placed",
    "select string_agg(item, ', ' order by id) from orders",
    "select count(*) filter (where amount > 5) from orders",
    "select (select max(id) from shops), o.* from orders as o",
    "select x.a from (values (1), (2)) as x(a)",
    "select substring(item from 1 for 3), position('i' in item), trim(item) from orders",
    "select o.id from orders o, lateral (select s.id from shops s where s.id = o.id) l",
    "select count(*) over w from orders window w as (partition by item)",
    "(select id from orders) union (select id from shops)",
    "select percentile_cont(0.5) within group (order by amount) from orders",
    "select 1 as \"group\", 'it''s' as text",
]

# What must mean the same once it is written anew.
EXPRESSIONS = [
    "interval '1 year 2 months'", "interval '01:30'", "interval '90 minutes'", "interval '1-2' ",
    "'1 day 2 hours'::interval", "date_trunc('week', date '2026-11-21')", "extract(epoch from interval '1 hour')",
    "extract(dow from date '2026-11-21')", "extract(isodow from date '2026-11-21')",
    "to_char(date '2026-11-21', 'YYYY-MM-DD Day HH24:MI')", "to_char(1234.5, 'FM9,999.00')",
    "to_date('21.11.2026','DD.MM.YYYY')", "to_timestamp('2026-11-21 10:00','YYYY-MM-DD HH24:MI')", "to_timestamp(0)",
    "to_number('12,454.8-', '99G999D9S')", "make_date(2026,1,2)", "age(date '2026-11-21', date '2020-01-01')",
    "justify_days(interval '40 days')", "7/2", "7.0/2", "-7/2", "-7 % 3", "mod(7,3)", "div(7,2)", "2^3", "power(2,3)",
    "round(2.5)", "round(2.567,1)", "trunc(2.567,1)", "ceil(2.1)", "floor(-2.1)", "log(100)", "log(2,8)", "ln(2.7)",
    "sqrt(4)", "sign(-3)", "abs(-3)", "greatest(1,null,3)", "least(1,null,3)", "width_bucket(5,0,10,5)", "upper('a')",
    "initcap('hello world')", "length('abc')", "char_length('abc')", "octet_length('ä')", "substr('hello',2)",
    "substr('hello',2,3)", "substring('hello' from 2 for 2)", "substring('hello' from 'l+')",
    "substring('hello', 'l+')", "left('hello',2)", "right('hello',2)", "left('hello',-2)", "trim('  x ')",
    "trim(both 'x' from 'xxaxx')", "ltrim('xxa','x')", "rtrim('axx','x')", "btrim('xax','x')",
    "replace('abc','b','d')", "translate('abc','ab','xy')", "reverse('abc')", "position('b' in 'abc')",
    "strpos('abc','b')", "split_part('a,b,c',',',2)", "split_part('a,b,c',',',-1)", "concat('a',null,'b')",
    "concat_ws('-','a',null,'b')", "starts_with('abc','a')", "ascii('a')", "md5('a')", "to_json('x'::text)",
    "regexp_replace('aXbX','X','-')", "regexp_replace('aXbX','x','-','gi')", "regexp_match('abc','b')",
    "regexp_count('aXbX','X')", "overlay('abcdef' placing 'zz' from 2 for 3)", "coalesce(null,1)", "nullif(1,1)",
    "'a' like 'A'", "'a' ilike 'A'", "'a' ~ 'A'", "'a' ~* 'A'", "'a' !~ 'b'", "'a_b' like 'a\\\\_b'",
    "'a%b' like 'a!%b' escape '!'", "1 between 0 and 2", "1 not in (2,3)", "null is null", "1 is distinct from null",
    "1 is not distinct from 1", "true and not false or false", "not true is false", "1 = any(array[1,2])",
    "1 = all(array[1,1])", "array[1,2,3]", "(array[1,2,3])[2]", "(array[1,2,3])[1:2]", "array_length(array[1,2],1)",
    "cardinality(array[1,2])", "array_position(array['a','b'],'b')", "array_to_string(array['a','b'],',')",
    "string_to_array('a,b',',')", "array[1,2] @> array[1]", "array[1] <@ array[1,2]", "array[1] && array[1,2]",
    "'{\"a\":{\"b\":1}}'::json -> 'a' ->> 'b'", "'{\"a\":[1,2]}'::jsonb #>> '{a,0}'",
    "'{\"a\":[1,2]}'::jsonb -> 'a' -> 1", "'{\"a\":1}'::jsonb @> '{\"a\":1}'", "'{\"a\":1}'::jsonb ? 'a'",
    "jsonb_array_length('[1,2]'::jsonb)", "json_array_length('[1,2]')", "jsonb_typeof('1'::jsonb)",
    "json_build_object('a',1)", "jsonb_build_object('a',1)", "json_build_array(1,2)",
    "jsonb_extract_path_text('{\"a\":\"b\"}'::jsonb,'a')", "cast('1.5' as numeric(10,1))", "1.5::int",
    "'x'::varchar(3)", "'abc'::char(2)", "'abcdef'::varchar(3)", "'2026-01-01'::date + 1",
    "date '2026-01-02' - date '2026-01-01'",
    "timestamp '2026-01-01 10:00' at time zone 'UTC' at time zone 'Europe/Berlin'",
    "timestamptz '2026-01-01 10:00+00' at time zone 'Asia/Tokyo'", "1::bigint", "1::smallint", "1.0::real",
    "1.0::double precision", "true::int", "'t'::boolean", "1e3", "1.10", ".5", "case 1 when 1 then 'a' else 'b' end",
    "case when false then 1 end", "(select 1)", "exists (select 1)", "(1,2) = (1,2)", "'a' < 'b'",
    "current_date = current_date", "- -1", "+1", "1 <> 2", "1 != 2", "'a' || 'b'", "array[1] || 2",
]  # fmt: skip
EXPRESSIONS_OF_SQLITE = [
    "date('2026-11-21')", "date('2026-11-21','+1 month')", "strftime('%Y-%m','2026-11-21')",
    "strftime('%s','2026-11-21')", "julianday('2026-11-21')", "datetime('2026-11-21 10:00','+1 hour')",
    "time('10:00:00')", "unixepoch('2026-11-21')", "typeof(1)", "typeof(1.0)", "ifnull(null,2)", "iif(1,2,3)",
    "instr('abc','b')", "hex('a')", "quote('a''b')", "total(1)", "group_concat('a')",
    "json_extract('{\"a\":1}','$.a')", "json_extract('{\"a\":{\"b\":2}}','$.a.b')", "'{\"a\":1}' -> '$.a'",
    "'{\"a\":1}' ->> 'a'", "json_array_length('[1,2]')", "json_type('[1]')", "json_object('a',1)", "json_array(1,2)",
    "json_valid('{}')", "json_quote('a')", "7/2", "7%3", "-7/2", "1 is 1", "1 is not 2", "1 == 1", "'a' glob 'A*'",
    "'abc' like 'A%'", "cast('1.5' as integer)", "cast(1 as text)", "cast('1' as real)", "round(2.567,1)", "abs(-1)",
    "substr('hello',2,2)", "substr('hello',-2)", "trim('xax','x')", "ltrim(' a')", "replace('abc','b','')",
    "upper('a')", "length('abc')", "coalesce(null,1)", "nullif(1,2)", "1 in (1,2)", "not 1", "-(-1)",
    "case 1 when 1 then 2 end",
]  # fmt: skip
_X = "from (values (1),(2),(2)) v(x)"
_XY = "from (values (1,2),(2,3)) v(x,y)"
_AB = "from (values (1),(3)) a(x)"
STATEMENTS = [
    f"select count(*), sum(x), avg(x), min(x), max(x), stddev(x), variance(x), stddev_pop(x), var_pop(x) {_X}",
    f"select bool_and(x > 0), bool_or(x > 2), every(x > 0), count(distinct x) {_X}",
    f"select string_agg(x::text, ',' order by x desc), array_agg(x order by x), json_agg(x), jsonb_agg(x) {_X}",
    f"select percentile_cont(0.5) within group (order by x), mode() within group (order by x) {_X}",
    f"select percentile_disc(0.5) within group (order by x desc) {_X}",
    f"select rank() over (order by x), lag(x) over (order by x), lead(x, 2, 0) over (order by x) {_X}",
    f"select sum(x) over (order by x rows between unbounded preceding and current row) {_X}",
    f"select first_value(x) over w, nth_value(x, 2) over w {_X} window w as (order by x)",
    f"select x, sum(y) {_XY} group by rollup(x)",
    f"select x, y, count(*) {_XY} group by cube(x, y)",
    f"select x, y, sum(1) {_XY} group by grouping sets ((x), (y), ())",
    "select x from (values (1),(null),(3)) v(x) order by x",
    "select x from (values (1),(null),(3)) v(x) order by x desc",
    "select x from (values (1),(null),(3)) v(x) order by x nulls first",
    f"select x {_X} order by x desc limit 2 offset 1",
    f"select x {_X} order by x fetch first 2 rows only",
    "select 1 union all select 1 union select 2",
    "select 1 except select 2",
    "(select 1 union select 2) intersect select 2",
    "select 1 union (select 2 intersect select 2)",
    f"select * {_AB} left join (values (1),(2)) b(y) on x = y",
    f"select * {_AB} full outer join (values (1),(2)) b(y) on x = y",
    f"select * {_AB} cross join (values (2)) b(y)",
    f"select * {_AB} natural join (values (1)) b(x)",
    f"select * {_AB} join (values (1)) b(x) using (x)",
    f"select distinct x {_X}",
]  # fmt: skip

HOSTILE = [
    # more than one statement, or none
    " ", ";", "select 1; select 2", "select 1; drop table orders", "select 1;; select 2", "-- nothing", "/* */",
    "select 1 /*", "select 'open", 'select "open', "select 1; -- \n delete from orders",
    # what writes
    "insert into orders values (1)", "update orders set item = 'x'", "delete from orders",
    "merge into orders using shops",
    "truncate orders", "drop table orders", "create table x (a int)", "create table x as select 1",
    "alter table orders",
    "select * into x from orders", "select * into temp x from orders",
    "with d as (delete from orders returning *) select * from d",
    "with d as (insert into orders values (1) returning *) select * from d",
    "with d as (update orders set item = 'x' returning *) select * from d",
    "with a as (select 1) delete from orders", "with a as (select 1) insert into orders select * from a",
    "select * from (delete from orders returning *) x",
    # what locks
    "select * from orders for update", "select * from orders for share", "select * from orders for no key update",
    "select * from orders for update skip locked", "lock table orders",
    # what is no SELECT
    "explain select 1", "explain analyze delete from orders", "copy orders to '/tmp/x'",
    "copy orders to program 'id'",
    "copy (select 1) to stdout", "do $$ begin end $$", "call x()", "execute p", "prepare p as select 1",
    "declare c cursor",
    "set role ben", "set session authorization ben", "reset all", "show all", "begin", "commit", "rollback", "vacuum",
    "listen x", "notify x", "load 'x'", "grant all on orders to ben", "security label", "pragma table_info(orders)",
    "attach database 'x' as y", "detach x", "discard all", "reindex", "analyze", "checkpoint", "table orders",
    "values (1); commit",
    # other tables, however they are called
    "select * from salaries", "select * from public.salaries", 'select * from "salaries"', 
    "select * from orders, salaries", "select * from orders join salaries on true",
    "select (select mark from salaries)",
    "select * from orders where exists (select 1 from salaries)", "select * from orders union select 1 from salaries",
    "with x as (select * from salaries) select * from x", "select * from only salaries", "select * from salaries *",
    "select * from postgres.public.orders", "select * from other.orders", "select * from pg_temp.orders",
    "with orders as (select * from salaries) select * from orders",
    "with orders as (select 1) select * from orders", 
    "select * from orders order by (select mark from salaries)",
    "select * from orders limit (select 1 from salaries)",
    "select case when (select 1 from salaries) = 1 then 1 end", "values ((select mark from salaries))",
    "select * from orders tablesample system (10)", "select * from lateral (select * from salaries) x",
    "select array(select mark from salaries)",
    "select count(*) filter (where exists (select 1 from salaries)) from orders",
    "select sum(1) over (order by (select 1 from salaries)) from orders",
    # the database's own catalogue
    "select * from pg_shadow", "select * from pg_catalog.pg_shadow", "select * from pg_authid",
    "select * from pg_roles",
    "select * from information_schema.tables", "select * from pg_stat_activity", "select * from pg_settings",
    "select * from sqlite_master", "select * from main.sqlite_master", "select * from sqlite_schema",
    "select * from temp.sqlite_temp_master", "select * from pragma_table_info('orders')", "select * from dbstat",
    "select tableoid from orders", "select xmin from orders", "select o.ctid from orders o",
    "select 'salaries'::regclass", "select cast('salaries' as regclass)", "select 1::regclass", "select 'x'::regproc",
    "select 'x'::regrole", "select 'x'::regtype", "select 'x'::regnamespace", "select 'x'::oid::regclass",
    "select 'x'::pg_catalog.regclass", "select '(1)'::orders", "select '{salaries}'::regclass[]", "select 'x'::name",
    "select '1'::xid",  "select 'x'::xml", "select try_cast('x' as regclass)",
    # functions
    "select pg_sleep(10)", "select pg_catalog.pg_sleep(1)", 'select "pg_sleep"(1)', 'select pg_catalog."pg_sleep"(1)',
    "select PG_SLEEP(1)", "select pg_sleep/**/(1)", "select pg_sleep --\n(1)", "select * from pg_sleep(1)",
    "select pg_read_file('/etc/passwd')", "select pg_read_binary_file('x')", "select pg_ls_dir('.')",
    "select * from pg_ls_dir('.')", "select * from rows from (pg_ls_dir('.'))", "select * from pg_ls_dir('.') x",
    "select pg_stat_file('x')", "select pg_terminate_backend(1)", "select pg_cancel_backend(1)",
    "select pg_reload_conf()",
    "select pg_advisory_lock(1)", "select pg_notify('a', 'b')", "select pg_logical_emit_message(true, 'a', 'b')",
    "select set_config('role', 'ben', false)", "select pg_catalog.set_config('role', 'ben', false)",
    "select current_setting('x')", "select * from set_config('role', 'ben', true)",
    "select dblink('host=x', 'select 1')", "select * from dblink('x', 'y') as t(a text)",
    "select dblink_exec('a', 'b')",
    "select lo_import('/etc/passwd')", "select lo_export(1, '/tmp/x')", "select lo_get(1)",
    "select lo_from_bytea(0, '')",
    "select query_to_xml('select 1', true, true, '')", "select table_to_xml('salaries', true, true, '')",
    "select database_to_xml(true, true, '')", "select cursor_to_xml('c', 1, true, true, '')",
    "select ts_stat('select mark from salaries')", "select * from ts_stat('select 1')", "select ts_rewrite('a', 'b')",
    "select nextval('s')", "select setval('s', 1)", "select currval('s')", "select lastval()",
    "select txid_current()",
    "select version()", "select inet_server_addr()", "select has_table_privilege('ben', 'salaries', 'select')",
    "select to_regclass('salaries')", "select load_extension('x')", "select readfile('/etc/passwd')",
    "select writefile('x', 'y')", "select edit('x')", "select fts3_tokenizer('x')", "select randomblob(1000000000)",
    "select zeroblob(1000000000)", "select repeat('x', 1000000000)", "select lpad('x', 1000000000)",
    "select rpad('x', 1000000000)", "select format('%1000000000s', 'x')", "select generate_series(1, 1000000000)",
    "select * from generate_series(1, 1000000000)", "select unnest(array[1])", "select xpath('x', 'y')",
    "select peek()", "select public.peek()", "select public.lower('x')", "select ben.count(1)", "select (peek()).x",
    "select current_user",    
    "select lower(peek())", "select * from orders order by peek()", "select * from orders limit peek()",
    "select count(*) filter (where peek() is null) from orders", "select sum(1) over (order by peek()) from orders",
    "select * from json_to_recordset('[]') as x(a regclass)",
    "select * from xmltable('x' passing 'y' columns z text)",
    "select date_trunc('day'' || pg_sleep(1) || ''', placed) from orders",
     "select date_trunc(pg_sleep(1), placed) from orders",
    "select array_fill(1, array[1000000])", "select string_agg(peek(), ',')", "select gen_random_uuid()",
    "select random()",
    # operators, parameters, unusual quotes
    "select 1 operator(public.+) 2", "select 1 operator(pg_catalog.+) 2", "select :x",  "select ?", "select @x",
    "select %(x)s", "select {fn now()}", "select {d '2020-01-01'}",   "select E'\\''",
      "select X'1F'",  "select N'x'",
    "select `id` from orders limit 1 procedure analyse()", "select [id] from [salaries]", "select 'a' \\gexec",
    "select '\0'", "select 1 \\; select 2", "select 1 -- \r; drop table orders\n; select 2", "select 1 limit 1; --",
    "select (o).mark from orders o", "select (select o from orders o limit 1).mark", "select o.*.mark from orders o",
    "select * from orders as of system time '1'", "select * from orders for system_time as of '1'",
    "select * except (id) from orders", "select * replace (1 as id) from orders", "select top 1 * from orders",
    "select * from orders qualify row_number() over () = 1", "select * from orders pivot (sum(a) for b in (1))",
    "select /*+ hint */ * from orders into outfile 'x'", "from orders", "from orders select *",
     "select json '{}' -> 'x' is json", "select * from 'file.csv'",
    "select * from read_csv('x')", "select * from orders connect by prior id = id", "select * from unnest(array[1])",
    "select * from orders match_recognize (pattern (a) define a as true)", "select struct(1)", "select map {'a': 1}",
     "select lambda x : x", "select columns('x') from orders",
]  # fmt: skip

# To SQLite these are columns and other plain things.
HOSTILE_ON_POSTGRES = [
    'select * from "Orders"', "select regclass 'salaries'", "select session_user", "select current_catalog",
    "select current_schema",
    "select $1", "select $$x$$", "select $a$x$a$", "select U&'\\0061'", "select B'1'",
]  # fmt: skip

# What must not pass wherever a value may stand.
_VALUES = (
    "pg_sleep(1)", "(select mark from salaries limit 1)", "'salaries'::regclass", "set_config('role', 'ben', true)",
    "current_setting('x')", "public.lower('x')", "$1", ":x", "E'\\n'", "current_user",
    "pg_catalog.pg_read_file('x')", "(select 1 into x)", "(select 1 from orders for update)", "query_to_xml('x')",
    "1 operator(public.+) 1", "repeat('x', 100000000)", "'x'::orders", "(orders).mark", "orders.xmin",
)  # fmt: skip
_ENDS = (
    "; drop table orders", "; select 1", " for update", " for share", "; --", " union select mark from salaries",
    " limit pg_sleep(1)", " order by (select mark from salaries)", " into x", " procedure analyse()",
    " fetch first pg_sleep(1) rows only",
)  # fmt: skip

_columns = st.sampled_from(["id", "item", "amount", '"id"', "note"])
_literals = st.sampled_from(["1", "2.5", "'x'", "'it''s'", "null", "true", "-3", "'--'", "';'", "'/*'", "'%s'", "'$1'"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda ab: f"({ab[0]} + {ab[1]})"),
        two.map(lambda ab: f"coalesce({ab[0]}, {ab[1]})"),
        two.map(lambda ab: f"case when {ab[0]} = {ab[1]} then {ab[0]} else {ab[1]} end"),
        inner.map(lambda a: f"lower({a})"),
        inner.map(lambda a: f"cast({a} as text)"),
        inner.map(lambda a: f"({a} is null)"),
        st.tuples(inner, inner, inner).map(lambda abc: f"({abc[0]} between {abc[1]} and {abc[2]})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: f"({items[0]} in ({', '.join(items)}))"),
        inner.map(lambda a: f"(select max({a}) from shops)"),
    )


values = st.recursive(st.one_of(_columns, _literals), _grown, max_leaves=5)
_HERE = "«»"  # where a mutation goes


@st.composite
def _templates(draw: st.DrawFn, tables: tuple[str, ...]) -> str:
    table = draw(st.sampled_from(tables))
    parts = [f"select {', '.join(draw(st.lists(values, min_size=1, max_size=3)))}, {_HERE} from {table} as t"]
    if draw(st.booleans()):
        parts.append(f"join {draw(st.sampled_from(tables))} as u on t.id = u.id")
    if draw(st.booleans()):
        parts.append(f"where {draw(values)} = {draw(values)}")
    if draw(st.booleans()):
        parts.append(f"group by {draw(_columns)}")
    if draw(st.booleans()):
        parts.append(f"order by {draw(_columns)} desc")
    text = " ".join(parts)
    return f"with w as (select 1 as one) {text}" if draw(st.booleans()) else text


def selects(tables: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Random statements that may be run."""
    return _templates(tables).map(lambda text: text.replace(_HERE, "1"))


def mutations(text: str) -> st.SearchStrategy[str]:
    """The same statement with something in it that may not be run."""
    inside = st.sampled_from(_VALUES).map(lambda bad: text.replace(", 1 from", f", {bad} from", 1))
    return st.one_of(inside, st.sampled_from(_ENDS).map(lambda end: text + end))
