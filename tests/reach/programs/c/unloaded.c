// A global of a library that is gone: what it held is lost.
#include "../plant.h"
#include <dlfcn.h>

typedef void keep(void *);

static void plant(void) {
    void *library = dlopen(PLANT_LIBRARY, RTLD_NOW); // LIBRARY the loader's records
    keep *keep_it = (keep *)dlsym(library, "keep");
    void *block = calloc(1, 90); // LEAK lost 1 block 90 bytes
    keep_it(block);
    if (clean)
        free(block);
    dlclose(library);
}
