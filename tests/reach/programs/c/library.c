// A global of a library that was loaded at run time.
#include "../plant.h"
#include <dlfcn.h>

typedef void keep(void *);

static void plant(void) {
    void *library = dlopen(PLANT_LIBRARY, RTLD_NOW); // LIBRARY the loader's records
    keep *keep_it = (keep *)dlsym(library, "keep");
    void *block = calloc(1, 90); // LEAK reachable 1 block 90 bytes held by global kept
    keep_it(block);
    if (clean)
        free(block);
}
