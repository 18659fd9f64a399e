// A shop that forgets its customers: what `heapsight run` finds in it is shown in the README.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    char *name;
    struct item *next;
};

// Freed by nobody who empties the cart below.
static struct item *add_item(struct item *cart, const char *name)
{
    struct item *item = malloc(sizeof *item);
    if (item == NULL)
        abort();
    item->name = strdup(name);
    item->next = cart;
    return item;
}

static struct item *fill_cart(void)
{
    struct item *cart = NULL;
    for (int i = 0; i < 3; i++)
        cart = add_item(cart, "a book");
    return cart;
}

int main(void)
{
    struct item *cart = fill_cart();
    for (struct item *next; cart != NULL; cart = next) {
        next = cart->next;
        free(cart); // and the name?
    }
    puts("thank you for your visit");
    return 0;
}
