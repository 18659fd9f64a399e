//! Version control, text, pictures, sound, and a debugger.

crate::table::programs! {
    git from "git" needs "git" shows "git" r"
        export GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
        git config --global user.name heap
        git config --global user.email heap@localhost
        git config --global init.defaultBranch main
        git init -q repository
        cp *.* repository
        cd repository
        for number in $(seq 6); do
            echo change $number >>tree.c
            git add .
            git commit -q -m message$number
        done
        git branch side HEAD~3
        git checkout -q side
        echo other >other.txt
        git add .
        git commit -q -m side
        git merge -q -m merged main
        git gc -q
        git fsck --full
        git log --format='%H %s' --stat
        git clone -q . ../clone
        git -C ../clone rev-parse HEAD
        git blame -s tree.c | tail -n 15
        git diff HEAD~3 | sha256sum
    "

    sort from "coreutils" needs "sort uniq shuf" shows "sort" r"
        tr ' ' '\n' <words.txt | sort --parallel=4 -S 2M | uniq -c | sort -k1nr -k2 | head -n 20
        shuf --random-source=words.txt -i 1-50000 | sort --parallel=2 -n | sha256sum
    "

    jq from "jq" needs "jq" shows "jq" r#"
        jq -R -n '[inputs | split(" ")[]] | group_by(.) |
            map({word: .[0], count: length}) | sort_by(-.count, .word) | .[:5]' words.txt
        jq -n '[range(20000)] | map(. * .) | add, (map(tostring) | join(",") | length)'
    "#

    curl from "curl" needs "curl" shows "curl" r"
        curl -s file://$PWD/words.txt | sha256sum
        curl -s -o copy1 file://$PWD/tree.c -o copy2 file://$PWD/words.js
        sha256sum copy1 copy2
        curl -s file:///nonexistent || echo error $?
    "

    bc from "bc" needs "bc" shows "bc" r"
        echo 'scale = 200; 4 * a(1); sqrt(2); e(1); 2 ^ 3000' | bc -l
    "

    vim from "vim-tiny" needs "vi" shows "vi" r"
        vi -es -N -u NONE -i NONE words.txt -c '%s/heap\(\d\+\)/HEAP<\1>/g' -c 'g/slab0/d' \
            -c 'sort' -c 'w out.txt' -c 'q!' </dev/null
        sha256sum out.txt
        wc -l out.txt
    "

    find from "findutils" needs "find xargs" shows "find" r"
        mkdir -p many/a many/b/c
        for number in $(seq 100); do : >many/a/$number; : >many/b/c/$number; done
        find many -type f | wc -l
        find many -name '1*' -print0 | sort -z | xargs -0 -n 20 -P 4 printf '%s\n' | wc -l
        find many -name '9?' -exec basename {} ';' | sort -n | uniq -c | tail -n 3
    "

    diff from "diffutils" needs "diff cmp" shows "diff" r"
        sed 's/heap1/HEAP1/' words.txt >changed.txt
        diff words.txt changed.txt | wc -l
        diff -u words.txt changed.txt | sed 1,2d | sha256sum
        cmp words.txt changed.txt || echo different
    "

    sed from "sed grep" needs "sed grep" shows "sed" r"
        sed -E 's/([a-z]+)([0-9]+)/\2\1/g; y/abc/ABC/; /slab/!d' words.txt | sha256sum
        sed -n '$=' words.txt
        grep -o -E '[a-z]+[0-9]*7\b' words.txt | sha256sum
        grep -c -P '(?<=heap)0\b' words.txt
    "

    gdb from "gdb gcc" needs "gdb gcc" shows "gdb" r"
        gcc -g -O0 -o tree tree.c
        gdb -nx -batch -ex 'info line main' -ex 'list depth' -ex 'ptype struct node' \
            -ex 'print sizeof(struct node)' ./tree
    "

    /// Debian's is a link to a program of another name. From the left to the right no tie is left
    /// to the order of addresses, which `safety=full` draws anew in each run.
    dot from "graphviz" needs "dot" shows "dot|libgvc" r"
        dot -Tsvg graph.dot | grep -c '<text'
        dot -Tplain graph.dot
    "

    /// Pictures, worked on by several threads.
    graphicsmagick from "graphicsmagick" needs "gm" shows "gm" r"
        gm convert -size 300x200 gradient:red-blue -rotate 30 -blur 0x2 -resize 150x ppm:- |
            sha256sum
        gm convert -size 200x200 plasma:black-white -depth 8 picture.png
        gm identify -format '%w %h %m' picture.png
    "

    ffmpeg from "ffmpeg" needs "ffmpeg" shows "ffmpeg" r"
        ffmpeg -v error -f lavfi -i testsrc=size=160x120:rate=10:duration=2 -c:v mpeg4 \
            -threads 2 -fflags +bitexact -flags +bitexact picture.avi
        ffmpeg -v error -i picture.avi -f framemd5 -bitexact - | sha256sum
        ffmpeg -v error -f lavfi -i sine=frequency=440:duration=1 -c:a flac -bitexact tone.flac
        ffmpeg -v error -i tone.flac -f md5 -
    "

    /// Threads that allocate, resize and free as fast as they can, and check what is in the blocks.
    stress_ng from "stress-ng" needs "stress-ng" shows "stress-ng" r"
        stress-ng -q --malloc 2 --malloc-ops 20000 --malloc-bytes 1M --malloc-thresh 64K --verify
        stress-ng -q --malloc 1 --malloc-ops 5000 --malloc-pthreads 3 --malloc-bytes 64K --verify
        stress-ng -q --fork 1 --fork-ops 200 --verify
        echo verified
    "
}
