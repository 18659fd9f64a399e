// Keeps one pointer a thread, in storage that is too large for what the loader sets aside.
static __thread void *volatile kept[2048];

void keep(void *block) { kept[1000] = block; }
