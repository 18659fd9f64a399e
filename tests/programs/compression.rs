//! Compression, archives and cryptography: large buffers, and threads that share them.

crate::table::programs! {
    gzip from "gzip" needs "gzip" shows "gzip" r"
        gzip -9 -n -c words.txt | sha256sum
        gzip -c words.txt | gzip -d | cmp - words.txt && echo the same again
    "

    pigz from "pigz" needs "pigz" shows "pigz" r"
        pigz -n -p 4 -b 128 -c words.txt | sha256sum
        pigz -p 4 -c words.txt | pigz -d -c | cmp - words.txt && echo the same again
    "

    bzip2 from "bzip2" needs "bzip2" shows "bzip2" r"
        bzip2 -k -c words.txt | sha256sum
        bzip2 -c words.txt | bzip2 -d | cmp - words.txt && echo the same again
    "

    xz from "xz-utils" needs "xz" shows "xz" r"
        xz -T2 --block-size=512KiB -3 -c words.txt | sha256sum
        xz -T2 -1 -c words.txt | xz -d -T2 | cmp - words.txt && echo the same again
    "

    zstd from "zstd" needs "zstd" shows "zstd" r"
        zstd -q -T2 -12 -c words.txt | sha256sum
        zstd -q -T2 --long -c words.txt | zstd -q -d | cmp - words.txt && echo the same again
        zstd -q --train words.txt -B4096 --maxdict=16384 -o dictionary
        sha256sum dictionary
    "

    /// Named 7zz by its authors, 7z by Debian.
    seven_zip from "p7zip-full" needs "7z" shows "7z" r"
        7z a -mmt=2 -mx=3 -bd -bso0 archive.7z words.txt tree.c words.js
        7z t -bd archive.7z | grep -c 'Everything is Ok'
        mkdir out
        7z x -bd -bso0 -oout archive.7z
        sha256sum out/*
    "

    tar from "tar" needs "tar gzip" shows "tar" r"
        mkdir -p tree/a/b tree/c
        for number in $(seq 200); do echo $number >tree/a/b/file$number; done
        cp words.txt tree/c
        tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -czf tree.tgz tree
        gzip -dc tree.tgz | sha256sum
        tar -tzf tree.tgz | wc -l
        mkdir out
        tar -xzf tree.tgz -C out
        diff -r tree out/tree && echo the same again
    "

    openssl from "openssl" needs "openssl" shows "openssl" r"
        openssl version | grep -c OpenSSL
        for digest in sha256 sha3-512 blake2b512; do openssl dgst -$digest words.txt; done
        openssl enc -aes-256-ctr -pbkdf2 -S 0011223344556677 -pass pass:heap -in words.txt |
            sha256sum
        openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem 2>/dev/null
        openssl req -new -x509 -key key.pem -subj /CN=heap -days 3 -out certificate.pem
        openssl x509 -in certificate.pem -noout -subject
        openssl dgst -sha256 -sign key.pem -out signature words.txt
        openssl pkey -in key.pem -pubout -out public.pem
        openssl dgst -sha256 -verify public.pem -signature signature words.txt
        openssl speed -seconds 1 -bytes 1024 sha256 >speed.txt 2>/dev/null
        grep -c sha256 speed.txt
    "
}
