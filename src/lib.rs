//! Heapsight: a memory allocator that knows where every byte came from.
