// A module for redis with three faults: a command that loses a block, one that loses a cycle, and
// one that appends to a list that nobody ever empties. What of redis's interface it needs is
// declared here.

#include <stdlib.h>
#include <string.h>

typedef struct context context;
typedef struct string string;
typedef int (*command)(context *, string **, int);

static int (*get_function)(const char *, void *);
static int (*set_attributes)(context *, const char *, int, int);
static int (*create_command)(context *, const char *, command, const char *, int, int, int);
static int (*reply_with_number)(context *, long long);

struct node {
    struct node *next;
    char bytes[500];
};

static struct node *cache;

// The compiler takes it that somebody has looked at the memory.
static void look_at(void *memory) {
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static __attribute__((noinline)) void lose_block(void) {
    char *volatile block = malloc(3000);
    memset(block, 1, 3000);
    look_at(block);
    block = NULL;
}

static __attribute__((noinline)) void lose_cycle(void) {
    struct node *volatile one = calloc(1, sizeof *one);
    struct node *volatile other = calloc(1, sizeof *other);
    one->next = other;
    other->next = one;
    look_at(one);
    one = other = NULL;
}

static __attribute__((noinline)) void append(void) {
    struct node *node = calloc(1, sizeof *node);
    node->next = cache;
    cache = node;
}

static int on_leak(context *context, string **arguments, int count) {
    (void)arguments, (void)count;
    lose_block();
    return reply_with_number(context, 1);
}

static int on_cycle(context *context, string **arguments, int count) {
    (void)arguments, (void)count;
    lose_cycle();
    return reply_with_number(context, 2);
}

static int on_cache(context *context, string **arguments, int count) {
    (void)arguments, (void)count;
    append();
    return reply_with_number(context, 3);
}

int RedisModule_OnLoad(context *context, string **arguments, int count) {
    (void)arguments, (void)count;
    // A context begins with the function that finds the others.
    memcpy(&get_function, context, sizeof get_function);
    get_function("RedisModule_SetModuleAttribs", &set_attributes);
    get_function("RedisModule_CreateCommand", &create_command);
    get_function("RedisModule_ReplyWithLongLong", &reply_with_number);
    set_attributes(context, "plant", 1, 1);
    return create_command(context, "plant.leak", on_leak, "", 0, 0, 0)
        || create_command(context, "plant.cycle", on_cycle, "", 0, 0, 0)
        || create_command(context, "plant.cache", on_cache, "", 0, 0, 0);
}
