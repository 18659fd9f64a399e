// Keeps one pointer.
static void *kept;

void keep(void *block) { kept = block; }
