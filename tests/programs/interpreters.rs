//! Interpreters and virtual machines, with and without garbage collectors, threads and JITs.

crate::table::programs! {
    python3 from "python3" needs "python3" shows "python3" r"
        python3 words.py
    "

    /// Every object from malloc, not from the interpreter's own pools.
    python3_malloc from "python3" needs "python3" shows "python3" r"
        PYTHONMALLOC=malloc python3 words.py
    "

    perl from "perl" needs "perl" shows "perl" r"
        perl words.pl
    "

    ruby from "ruby" needs "ruby" shows "ruby" r"
        ruby words.rb
    "

    lua from "lua5.4" needs "lua5.4" shows "lua" r"
        lua5.4 words.lua
    "

    tclsh from "tcl" needs "tclsh" shows "tclsh" r"
        tclsh words.tcl
    "

    gawk from "gawk" needs "gawk" shows "gawk" r"
        gawk -f words.awk words.txt
    "

    mawk from "mawk" needs "mawk" shows "mawk" r"
        mawk -f words.awk words.txt
    "

    php from "php-cli" needs "php" shows "php" r"
        php words.php
    "

    /// Zend's own pools off: every value from malloc.
    php_malloc from "php-cli" needs "php" shows "php" r"
        USE_ZEND_ALLOC=0 php words.php
    "

    guile from "guile-3.0" needs "guile" shows "guile" r"
        guile --no-auto-compile words.scm
    "

    node from "nodejs" needs "node" shows "node" r"
        node words.js
    "

    java from "default-jdk-headless" needs "java javac" shows "java" r"
        java -Xmx256m Words.java
    "

    bash from "bash" needs "bash tr grep" shows "bash" r"
        bash loops.sh
        bash -c 'a=(); for i in {1..2000}; do a+=(item$i); done; echo ${#a[@]} ${a[*]:5:3}'
    "

    /// It leaves by `_exit`, past every report; what it starts bears witness.
    dash from "dash" needs "dash tr grep" shows "tr" r"
        dash loops.sh
    "
}
