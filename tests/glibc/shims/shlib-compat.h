/* References to symbols that libc keeps only for old programs, such as the malloc hooks.

   glibc's header computes the version to ask for from its build. On x86-64, the only architecture
   this suite is run on, whatever is older than the port has the port's first version. */

#ifndef HEAPSIGHT_GLIBC_SHLIB_COMPAT_H
#define HEAPSIGHT_GLIBC_SHLIB_COMPAT_H

#define compat_symbol_reference(library, local, symbol, version) \
  __asm__ (".symver " #local ", " #symbol "@GLIBC_2.2.5");

#endif
