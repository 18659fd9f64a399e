/* What glibc's build gives each of its files and a host's headers do not: read before the first
   line of every file of its support library and of its tests.

   The internal macros bind symbols inside libc; in an ordinary program they mean nothing. */

#ifndef HEAPSIGHT_GLIBC_PRELUDE_H
#define HEAPSIGHT_GLIBC_PRELUDE_H

#include <errno.h>
#include <limits.h>
#include <sys/cdefs.h>

#include <libc-diag.h>

#define libc_hidden_proto(name)
#define libc_hidden_def(name)
#define __set_errno(value) (errno = (value))

/* The tests' own timeouts, unstretched; the environment variable of this name stretches them. */
#define TIMEOUTFACTOR 1

/* Paths of an installation under test. The host's is the one under test, and no malloc test asks
   for them; support_paths.c wants every one defined. */
#define SRCDIR_PATH "/"
#define OBJDIR_PATH "/"
#define OBJDIR_ELF_LDSO_PATH "/"
#define INSTDIR_PATH "/"
#define LIBDIR_PATH "/"
#define BINDIR_PATH "/"
#define SBINDIR_PATH "/"
#define SLIBDIR_PATH "/"
#define ROOTSBINDIR_PATH "/"
#define COMPLOCALEDIR_PATH "/"

#endif
