// Heapsight: a memory allocator that knows where every byte came from.
//
// Linking libheapsight (shared or static) replaces malloc, free and their family for the whole
// program; the functions below are what it offers beyond them. Unless a function says otherwise it
// may be called from any thread, and none may be called from a signal handler.
//
// Made by cbindgen from the Rust sources; do not edit.

#ifndef HEAPSIGHT_H
#define HEAPSIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How Heapsight is configured.
typedef struct heapsight_config {
  // Options as in the environment variable `HEAPSIGHT`, `"track=full,leaks=on"`; null: none.
  const char *options;
} heapsight_config;

// Statistics of the tracked blocks. Bytes are those asked for. A `realloc` counts as one
// allocation and one deallocation. Peaks are the largest values the current counters ever held.
typedef struct heapsight_stats_t {
  // Blocks ever allocated.
  uint64_t total_allocations;
  // Blocks in use.
  uint64_t current_allocations;
  // Most blocks in use at one moment.
  uint64_t peak_allocations;
  // Blocks ever freed.
  uint64_t total_deallocations;
  // Bytes ever allocated.
  uint64_t bytes_allocated;
  // Bytes ever freed.
  uint64_t bytes_deallocated;
  // Bytes in use.
  uint64_t current_bytes;
  // Most bytes in use at one moment.
  uint64_t peak_bytes;
} heapsight_stats_t;

// A memory error, as the program's own function is told of it.
typedef struct heapsight_memory_error {
  // Which one, in words that do not change: `double free`, `heap buffer overflow`.
  const char *kind;
  // The sentence of the report.
  const char *message;
  // The address concerned: of the access, the free, or the first damaged byte.
  const void *address;
} heapsight_memory_error;

// Which memory routines serve this process, and by which limits.
typedef struct heapsight_features_t {
  // Whose routines, as in the option `simd`; `"off"` stands for the platform's. Never freed.
  const char *simd;
  // Bytes of the data caches; zero where that is not known.
  size_t cache_first;
  // Bytes of the second level.
  size_t cache_second;
  // Bytes of the third level that one core can use.
  size_t cache_third;
  // Up to so many bytes a copy goes by registers.
  size_t copy_by_registers;
  // From so many bytes on a copy goes past the caches.
  size_t copy_past_caches;
  // From so many bytes on a fill with a byte goes by the processor's own instruction.
  size_t fill_by_string;
  // From so many bytes on a fill with a longer pattern goes past the caches.
  size_t fill_past_caches;
} heapsight_features_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Allocates `size` bytes, aligned to 16. Zero bytes give a unique block.
//
// Returns null and sets `errno` to `ENOMEM` when memory runs out. Free with `heapsight_free`, or
// with `free` where libheapsight is linked.
void *heapsight_malloc(size_t size);

// Allocates `count * size` bytes, zeroed.
//
// Returns null and sets `errno` to `ENOMEM` when memory runs out or the product overflows.
void *heapsight_calloc(size_t count, size_t size);

// Resizes a block, moving it if it must; null allocates.
//
// Returns null and leaves the block as it was when memory runs out; frees it and returns null when
// `size` is zero.
void *heapsight_realloc(void *ptr,
                        size_t size);

// Frees a block, from any thread; null does nothing. `errno` is kept.
//
// An address that is no block in use is reported on stderr and ends the process (`safety=basic`),
// or is ignored (`safety=off`).
void heapsight_free(void *ptr);

// Allocates `size` bytes aligned to `align`, a power of two.
//
// Returns null and sets `errno` to `EINVAL` for another alignment, `ENOMEM` when memory runs out.
void *heapsight_aligned_alloc(size_t align,
                              size_t size);

// Bytes that may be used at `ptr`, at least those asked for; zero for null.
size_t heapsight_usable_size(const void *ptr);

// Gives memory that no block uses back to the system. Returns whether there was any.
bool heapsight_trim(void);

// Puts a configuration into force, from this call on; null means defaults. Blocks from before stay
// untracked.
//
// Returns false, after one line on stderr for each, when options were wrong; they keep their
// defaults, the others apply.
//
// # Safety
// `config` is null or valid, and its options are null or a C string.
bool heapsight_init(const struct heapsight_config *config);

// Records what `track` says, `"off"`, `"stats"`, `"sample"`, `"sample:64K"` or `"full"`, from this
// call on, and leaves the rest of the configuration as it is. Other threads follow with the next
// blocks that they allocate. Blocks from before stay as they were recorded, or unknown.
//
// Returns false, after one line on stderr, when it says none of these; nothing has changed then.
//
// # Safety
// `track` is null or a C string.
bool heapsight_set_tracking(const char *track);

// Ends tracking: makes the leak report now rather than at exit, if `leaks=on`.
//
// Returns whether anything leaked.
bool heapsight_deinit(void);

// Fills `out` with the statistics. Returns false, and zeros, while nothing is tracked.
//
// # Safety
// `out` is writable.
bool heapsight_stats(struct heapsight_stats_t *out);

// Prints the statistics to stderr.
void heapsight_print_stats(void);

// Starts the totals of the statistics at zero, and the peaks at what is current.
void heapsight_reset_stats(void);

// Prints to stderr which tracked blocks are lost, which only lost ones lead to, and which are
// still reachable and by whom.
//
// Returns the number of blocks that count as leaked; those that are reachable, and those that libc
// and the language run-times keep on purpose, do not. All other threads are stopped for that time,
// by a signal: a call that waits in the kernel may end early with `EINTR`.
uint64_t heapsight_check_for_leaks(void);

// Sets a mark in the ledger, if there is one: a name for this moment, for those who look at the
// timeline.
//
// # Safety
// `name` is null or a C string.
void heapsight_mark(const char *name);

// Names the function that `safety_action=callback` calls for each memory error that is found;
// null: none. It is called on the thread that made or found the mistake, possibly from a signal
// handler, while nothing of the heap is locked; when it returns, the program goes on.
//
// # Safety
// `function` is null or may be called with an error, which lives as long as the call, and `data`.
void heapsight_on_memory_error(void (*function)(const struct heapsight_memory_error *error,
                                                void *data),
                               void *data);

// Checks the whole heap for contradictions, the sign of memory corruption, and, with
// `safety=full`, for writes past the ends of blocks and after their end; the first of these is
// reported. No other thread may use the heap meanwhile.
//
// Returns how many were found.
size_t heapsight_check_heap(void);

// Copies `len` bytes; returns `to`. Overlap does not matter.
//
// # Safety
// `from` is readable and `to` writable for `len` bytes.
void *heapsight_memcpy(void *to, const void *from, size_t len);

// Copies `len` bytes, overlapping or not; returns `to`.
//
// # Safety
// As `heapsight_memcpy`.
void *heapsight_memmove(void *to, const void *from, size_t len);

// Copies `len` bytes past the caches, for what is large and will not be read soon; returns `to`.
//
// # Safety
// As `heapsight_memcpy`.
void *heapsight_stream_copy(void *to,
                            const void *from,
                            size_t len);

// Fills `len` bytes with the byte `value`; returns `to`.
//
// # Safety
// `to` is writable for `len` bytes.
void *heapsight_memset(void *to, int value, size_t len);

// Fills with `count` numbers of two bytes; returns `to`, which needs no alignment.
//
// # Safety
// `to` is writable for `2 * count` bytes.
void *heapsight_memset16(void *to, uint16_t value, size_t count);

// Fills with `count` numbers of four bytes; returns `to`, which needs no alignment.
//
// # Safety
// `to` is writable for `4 * count` bytes.
void *heapsight_memset32(void *to, uint32_t value, size_t count);

// Fills with `count` numbers of eight bytes; returns `to`, which needs no alignment.
//
// # Safety
// `to` is writable for `8 * count` bytes.
void *heapsight_memset64(void *to, uint64_t value, size_t count);

// Makes `len` bytes zero, and does so also if nobody reads them afterwards.
//
// # Safety
// `to` is writable for `len` bytes.
void heapsight_secure_zero(void *to, size_t len);

// Negative, zero or positive, as the first of `len` bytes that differs is less in `a`, none does,
// or it is greater.
//
// # Safety
// Both are readable for `len` bytes.
int heapsight_memcmp(const void *a,
                     const void *b,
                     size_t len);

// Zero if `len` bytes are equal.
//
// # Safety
// Both are readable for `len` bytes.
int heapsight_bcmp(const void *a, const void *b, size_t len);

// The offset of the first of `len` bytes that differs; `len` if none does.
//
// # Safety
// Both are readable for `len` bytes.
size_t heapsight_mismatch(const void *a, const void *b, size_t len);

// The first byte that is `value`, or null.
//
// # Safety
// `from` is readable up to that byte, or for `len` bytes.
void *heapsight_memchr(const void *from, int value, size_t len);

// The last byte that is `value`, or null.
//
// # Safety
// `from` is readable for `len` bytes.
void *heapsight_memrchr(const void *from, int value, size_t len);

// The length of a C string.
//
// # Safety
// `text` is a C string.
size_t heapsight_strlen(const char *text);

// The offset of the first of `len` bytes that is not `value`; `len` if there is none. Tells
// whether memory is still what it was filled with.
//
// # Safety
// `from` is readable for `len` bytes.
size_t heapsight_memother(const void *from, int value, size_t len);

// `heapsight_memcpy`, by its old name.
//
// # Safety
// As `heapsight_memcpy`.
void *heapsight_memcpy_simd(void *to, const void *from, size_t len);

// `heapsight_memcpy`, by its old name.
//
// # Safety
// As `heapsight_memcpy`.
void *heapsight_memcpy_fast(void *to, const void *from, size_t len);

// `heapsight_memset`, by its old name.
//
// # Safety
// As `heapsight_memset`.
void *heapsight_memset_simd(void *to, int value, size_t len);

// `heapsight_memcmp`, by its old name.
//
// # Safety
// As `heapsight_memcmp`.
int heapsight_memcmp_simd(const void *a, const void *b, size_t len);

// Which memory routines serve this process, and by which limits.
struct heapsight_features_t heapsight_features(void);

// Frees a block of `malloc`, `calloc`, `realloc` or `c_realloc` whose size the caller knows.
//
// `ptr` may be null. A `size` that is not the block's is a mistake, and reported; with
// `safety_action=report` or `callback` the block is freed all the same. Zero means "unknown" and
// is not checked.
void c_free(void *ptr,
            size_t size);

// Resizes a block whose size the caller knows.
//
// Like `realloc`, with `old_size` checked as in `c_free`. Returns null, and leaves the block as it
// was, when memory runs out; frees the block and returns null when `new_size` is zero.
void *c_realloc(void *ptr,
                size_t old_size,
                size_t new_size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HEAPSIGHT_H */
