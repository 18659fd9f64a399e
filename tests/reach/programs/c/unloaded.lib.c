// Keeps one pointer.
static void *volatile kept;

void keep(void *block) { kept = block; }
