// A hash table with chains in a global, all of it reachable, from which one entry was cut out.
#include "../plant.h"

struct entry {
    struct entry *next;
    char *key;
};

static struct {
    struct entry **buckets;
} table;

static NOINLINE void insert(unsigned number) {
    // LEAK reachable 19 blocks 304 bytes held by global table
    // LEAK lost 1 block 16 bytes
    struct entry *entry = calloc(1, sizeof *entry);
    // LEAK reachable 19 blocks 380 bytes held by global table
    // LEAK indirect 1 block 20 bytes under insert
    char *key = calloc(1, 20);
    entry->key = key;
    entry->next = table.buckets[number % 4];
    table.buckets[number % 4] = entry;
}

static NOINLINE void cut_newest(unsigned bucket) {
    struct entry *cut = table.buckets[bucket];
    table.buckets[bucket] = cut->next;
    cut->next = NULL;
    if (clean) {
        free(cut->key);
        free(cut);
    }
}

static void plant(void) {
    // LEAK reachable 1 block 32 bytes held by global table
    table.buckets = calloc(4, sizeof *table.buckets);
    for (unsigned i = 0; i < 20; i++)
        insert(i);
    cut_newest(2);
    for (int i = 0; i < 4 && clean; i++) {
        while (table.buckets[i]) {
            struct entry *next = table.buckets[i]->next;
            free(table.buckets[i]->key);
            free(table.buckets[i]);
            table.buckets[i] = next;
        }
    }
    if (clean)
        free(table.buckets);
}
