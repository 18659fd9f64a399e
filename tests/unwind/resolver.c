/* A function whose address is found by calling the hook, in the middle of the loader's binding. */
static void (*hook)(void);

static int answer(void) {
    return 42;
}

static int (*resolve(void))(void) {
    hook();
    return answer;
}

int resolved(void) __attribute__((ifunc("resolve")));

int resolver_run(void (*called)(void)) {
    hook = called;
    return resolved();
}
