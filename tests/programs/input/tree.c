// Input of the C compilers: a binary tree of words, with enough structure to be worth optimising.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *left, *right;
    unsigned count;
    char word[24];
};

static unsigned state = 12345;

static unsigned next_random(void) {
    state = state * 1103515245u + 12345u;
    return state >> 16;
}

static struct node *insert(struct node *root, const char *word) {
    if (root == NULL) {
        root = calloc(1, sizeof *root);
        if (root == NULL)
            exit(1);
        snprintf(root->word, sizeof root->word, "%s", word);
    }
    int order = strcmp(word, root->word);
    if (order < 0)
        root->left = insert(root->left, word);
    else if (order > 0)
        root->right = insert(root->right, word);
    else
        root->count++;
    return root;
}

static unsigned depth(const struct node *root) {
    if (root == NULL)
        return 0;
    unsigned left = depth(root->left), right = depth(root->right);
    return 1 + (left > right ? left : right);
}

static unsigned long total(const struct node *root) {
    return root ? root->count + total(root->left) + total(root->right) : 0;
}

static void release(struct node *root) {
    if (root == NULL)
        return;
    release(root->left);
    release(root->right);
    free(root);
}

static double polynomial(const double *coefficients, int degree, double x) {
    double value = 0;
    for (int i = degree; i >= 0; i--)
        value = value * x + coefficients[i];
    return value;
}

int main(void) {
    struct node *root = NULL;
    char word[24];
    for (int i = 0; i < 20000; i++) {
        snprintf(word, sizeof word, "word%u", next_random() % 5000);
        root = insert(root, word);
    }
    double coefficients[] = {1, -2, 3, -4};
    printf("%lu words, depth %u, %.3f\n", total(root), depth(root),
           polynomial(coefficients, 3, 1.5));
    release(root);
    return 0;
}
