-- Input of sqlite3 and PostgreSQL: tables, indexes, joins, aggregates, recursion, a transaction.
create table customers (id integer primary key, name text not null, city text not null);
create table orders (id integer primary key, customer integer not null, amount integer not null);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
insert into customers select i, 'customer ' || i, 'city ' || (i % 37) from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into orders select i, 1 + (i * 7919) % 2000, (i * i) % 1000 from n;
create index orders_by_customer on orders (customer);
select city, count(*), sum(amount) from customers join orders on customer = customers.id
group by city order by sum(amount) desc, city limit 5;
select name, (select max(amount) from orders where customer = customers.id) as most
from customers order by most desc, customers.id limit 3;
begin;
delete from orders where amount < 500;
select count(*) from orders;
rollback;
select count(*), min(amount), max(amount) from orders;
update customers set city = upper(city) where id % 2 = 0;
select count(distinct city) from customers;
with recursive fibonacci(a, b) as (
    select 0, 1 union all select b, a + b from fibonacci where b < 1000000
) select max(a) from fibonacci;
