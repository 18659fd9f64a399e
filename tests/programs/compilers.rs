//! Compilers, assemblers, linkers and what drives them.

crate::table::programs! {
    /// The object code must not depend on where the compiler's memory lies.
    gcc from "gcc" needs "gcc" shows "cc1" r"
        gcc -O2 -Wall -S -o - tree.c | sha256sum
        gcc -O2 -flto -g -o tree tree.c
        ./tree
    "

    gpp from "g++" needs "g++ objdump" shows "cc1plus" r"
        g++ -O1 -std=c++17 -o templates templates.cpp
        objdump -d templates | sha256sum
        ./templates
    "

    clang from "clang" needs "clang" shows "clang" r"
        clang -O2 -S -o - tree.c | sha256sum
        clang -O2 -o tree tree.c
        ./tree
    "

    tcc from "tcc libtcc-dev libc6-dev" needs "tcc" shows "tcc" r"
        tcc -run tree.c
        tcc -o tree tree.c
        ./tree
    "

    binutils from "binutils gcc" needs "as ld ar nm objdump strip gcc" shows "objdump" r"
        gcc -O2 -c -o tree.o tree.c
        nm tree.o
        objdump -d -r tree.o | sha256sum
        ar rcD tree.a tree.o
        ld -r -o both.o --whole-archive tree.a
        gcc -o tree both.o
        strip tree
        ./tree
        objdump -h tree | wc -l
    "

    /// It brings a malloc of its own, which has to be left alone.
    rustc from "rustc" needs "rustc cc" shows "" r"
        rustc -O --edition 2021 words.rs
        ./words
    "

    javac from "default-jdk-headless" needs "javac javap" shows "java" r"
        javac -J-Xmx256m -d classes Words.java
        ls classes
        sha256sum classes/*.class
        javap -J-Xmx256m -p -cp classes Words
    "

    make from "make" needs "make sort head tail sed" shows "make" r"
        make -s -j4 -f parallel.mk
        sha256sum all.txt
        make -f parallel.mk -q && echo up to date
        make -f parallel.mk -pn 2>/dev/null | grep -c part-
    "

    cmake from "cmake make gcc" needs "cmake ctest make cc" shows "cmake" r"
        cmake -S . -B build >configured.txt
        grep -c . configured.txt
        cmake --build build -j 2 >built.txt
        ./build/tree
        cd build
        ctest | grep -c Passed
    "

    m4 from "m4" needs "m4" shows "m4" r"
        m4 items.m4
    "
}
