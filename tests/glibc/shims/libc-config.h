/* gnulib's name for the configuration of libc. prelude.h has been read by now; nothing to add. */
