// A binary tree without its root.
#include "../plant.h"

struct node {
    struct node *left, *right;
    char name[24];
};

static NOINLINE struct node *grow(int depth) {
    if (depth == 0)
        return NULL;
    struct node *node = calloc(1, sizeof *node); // LEAK indirect 14 blocks 560 bytes under root
    node->left = grow(depth - 1);
    node->right = grow(depth - 1);
    return node;
}

static NOINLINE struct node *root(void) {
    struct node *node = calloc(1, sizeof *node); // LEAK lost 1 block 40 bytes
    node->left = grow(3);
    node->right = grow(3);
    return node;
}

static NOINLINE void fell(struct node *node) {
    if (!node)
        return;
    fell(node->left);
    fell(node->right);
    free(node);
}

static void plant(void) {
    struct node *node = root();
    if (clean)
        fell(node);
    seen(node);
}
