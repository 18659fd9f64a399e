// Finds a leak, and proves that the fixed code has none, all inside one program.
//
// Most programs need no code for this: HEAPSIGHT=leaks=on in the environment reports at exit. The
// calls are for tests that check themselves, and for servers that never exit.

#undef NDEBUG
#include <assert.h>
#include <heapsight.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *name;
    int *scores;
} Player;

// The compiler may not dissolve it into main: the report is to name it.
__attribute__((noinline)) static Player *player_new(const char *name) {
    Player *player = malloc(sizeof *player);
    assert(player != NULL);
    player->name = malloc(strlen(name) + 1);
    player->scores = calloc(10, sizeof *player->scores);
    assert(player->name != NULL && player->scores != NULL);
    strcpy(player->name, name);
    return player;
}

static void player_free(Player *player, bool fixed) {
    if (fixed)
        free(player->scores); // Without this line, every player leaks ten scores.
    free(player->name);
    free(player);
}

// Players come and go. Not dissolved into main either, which would keep traces of them.
__attribute__((noinline)) static void play(bool fixed) {
    for (int i = 0; i < 3; i++)
        player_free(player_new("Ada"), fixed);
}

int main(void) {
    // From here on every block is tracked, with its size and the calls that led to it.
    heapsight_config config = {.options = "track=full,leaks=on"};
    assert(heapsight_init(&config));

    // Three blocks that nobody knows any more, in one group: they come from the same place.
    play(false);
    uint64_t leaked = heapsight_check_for_leaks();
    printf("leaked blocks: %llu\n", (unsigned long long)leaked);
    assert(leaked == 3);

    // Run the fixed code, and look again. What is lost stays lost, but there is no more of it.
    play(true);
    uint64_t more = heapsight_check_for_leaks() - leaked;
    printf("more after the fix: %llu\n", (unsigned long long)more);
    assert(more == 0);

    // Ends tracking with a last report. What libc keeps for itself, such as the buffer of stdout,
    // is in use but no leak; the three are.
    assert(heapsight_deinit());
    return 0;
}
