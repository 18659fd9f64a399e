//! Databases and servers: one in process, the others with clients that talk to them.

crate::table::programs! {
    sqlite from "sqlite3" needs "sqlite3" shows "sqlite3" r"
        sqlite3 -batch shop.db <shop.sql
        sqlite3 -batch shop.db 'pragma integrity_check; vacuum; select count(*) from orders'
        sqlite3 -batch -csv shop.db 'select * from customers order by id' | sha256sum
    "

    redis from "redis-server redis-tools" needs "redis-server redis-cli redis-benchmark"
    shows "redis-benchmark" r#"
        redis-server --port 0 --unixsocket redis.sock --save '' --appendonly no >redis.log &
        ask() { redis-cli -s redis.sock --raw "$@"; }
        for attempt in $(seq 200); do ask ping 2>/dev/null && break; sleep 0.05; done
        redis-benchmark -s redis.sock -q -n 2000 -c 10 -t set,lpush,zadd >benchmark.txt
        for number in $(seq 40); do echo set key$number value$number; done |
            redis-cli -s redis.sock | sort | uniq -c
        squares='for i = 1, 1000 do redis.call("hset", "squares", i, i * i) end'
        ask eval "$squares; return redis.call('hlen', 'squares')" 0
        ask hget squares 30
        ask dbsize
        ask shutdown nosave 2>/dev/null || true
        wait
        echo the server has ended
    "#

    /// A server refuses to be root, so root becomes nobody; the change itself is not preloaded, for
    /// its report would be root's and in the way of the server's, which has the same process id.
    postgres from "postgresql" needs "psql setpriv" shows "postgres" r#"
        PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
        library=${LD_PRELOAD:-} become=
        [ $(id -u) -ne 0 ] || become='setpriv --reuid=nobody --regid=nogroup --clear-groups'
        user() { LD_PRELOAD= $become env LD_PRELOAD=$library "$@"; }
        user initdb -D data -A trust -U shop --no-locale -E UTF8 --no-sync >initdb.txt
        grep -c ok initdb.txt
        user postgres -D data -k $PWD -c listen_addresses= -c fsync=off \
            >postgres.log 2>&1 &
        ask() { psql -h $PWD -U shop -X -q -A -t -v ON_ERROR_STOP=1 "$@" postgres; }
        for attempt in $(seq 200); do
            ask -c 'select 1' 2>/dev/null && break
            sleep 0.05
        done
        ask -f shop.sql
        ask -c 'select count(*) from orders o join customers c on c.id = o.customer'
        kill -INT $(head -n 1 data/postmaster.pid)
        wait && echo the server has ended
    "#

    nginx from "nginx-light curl" needs "nginx curl" shows "curl" r"
        nginx -p $PWD -e error.log -c nginx.conf -t 2>/dev/null && echo sound
        chmod a+r words.txt
        nginx -p $PWD -e error.log -c nginx.conf &
        get() { curl -s --unix-socket nginx.sock http://localhost/$1; }
        for attempt in $(seq 200); do get tree.c >/dev/null && break; sleep 0.05; done
        get words.txt | sha256sum
        get nothing | grep -c 404
        curl -s --compressed --unix-socket nginx.sock http://localhost/words.txt | sha256sum
        for number in $(seq 5); do get moved | grep -c 301; done | sort | uniq -c
        kill -QUIT $(cat nginx.pid)
        wait
        echo the server has ended
    "
}
