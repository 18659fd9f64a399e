//! Who keeps what it allocates: the names behind the rules.
//!
//! They are what was measured with programs that call each of these functions and free all they
//! can, against glibc 2.36, libstdc++ 12 and Rust 1.95, with and without libc's debug symbols. A
//! name that is missing makes a leak of what is none; a wrong one would hide a leak, so when in
//! doubt a name is left out.

/// Functions inside of libc that keep what they allocate; the program does not call them. Seen only
/// where libc has debug symbols, but for a few that it exports. A name here stands for all that
/// begin with it.
pub(super) const INTERNALS: &[&str] = &[
    // Buffers of streams. That a stream is never closed shows in the block of the stream.
    "IO_file_doallocate",
    "IO_wfile_doallocate",
    "IO_wdoallocbuf",
    // Environment, exit handlers, thread-local storage.
    "add_to_environ",
    "new_exitfn",
    "libc_allocate_once",
    "dlerror_run",
    // Caches of locales, character sets, messages and time zones.
    "nl_",
    "wcsmbs_",
    "gconv_lookup_cache",
    "gconv_find_transform",
    "gconv_load_",
    "gconv_read_conf",
    "gconv_find_shlib",
    "find_derivation",
    "tz",
    // Users, groups, hosts and services.
    "nss_",
    "resolv_",
    "res_context_",
    "gaiconf_init",
    "check_pf",
];

/// libc's functions for programs that never hand out a block. One name per function: without the
/// underscores before it and the `_r` after it.
pub(super) const KEEPERS: &[&str] = &[
    // Environment, exit, threads, modules.
    "setenv",
    "putenv",
    "unsetenv",
    "clearenv",
    "atexit",
    "on_exit",
    "cxa_atexit",
    "cxa_thread_atexit_impl",
    "pthread_atfork",
    "register_atfork",
    "pthread_create",
    "pthread_setspecific",
    "tls_get_addr",
    "emutls_get_address",
    "dlopen",
    "dlmopen",
    "dlsym",
    "dlvsym",
    "dlerror",
    "dlclose",
    "timer_create",
    "backtrace",
    "register_printf_specifier",
    "register_printf_modifier",
    "register_printf_type",
    "register_printf_function",
    // Time zones.
    "tzset",
    "localtime",
    "gmtime",
    "ctime",
    "mktime",
    "timelocal",
    "timegm",
    "strftime",
    "strftime_l",
    "wcsftime",
    "wcsftime_l",
    "strptime",
    "getdate",
    "syslog",
    "vsyslog",
    // Locales and messages.
    "setlocale",
    "bindtextdomain",
    "textdomain",
    "bind_textdomain_codeset",
    "gettext",
    "dgettext",
    "dcgettext",
    "dcigettext",
    "ngettext",
    "dngettext",
    "dcngettext",
    "strerror",
    "strerror_l",
    "strsignal",
    "perror",
    "psignal",
    // Conversion of characters, which loads the tables of a locale.
    "btowc",
    "wctob",
    "mblen",
    "mbtowc",
    "wctomb",
    "mbrlen",
    "mbrtowc",
    "wcrtomb",
    "mbstowcs",
    "wcstombs",
    "mbsrtowcs",
    "wcsrtombs",
    "mbsnrtowcs",
    "wcsnrtombs",
    "mbrtoc16",
    "c16rtomb",
    "mbrtoc32",
    "c32rtomb",
    "fwide",
    "wprintf",
    "fwprintf",
    "vwprintf",
    "vfwprintf",
    "fputwc",
    "putwc",
    "putwchar",
    "fputws",
    "fgetwc",
    "getwc",
    "getwchar",
    "fgetws",
    "ungetwc",
    // Users, groups, hosts and services.
    "getpwnam",
    "getpwuid",
    "getpwent",
    "fgetpwent",
    "setpwent",
    "getspnam",
    "getgrnam",
    "getgrgid",
    "getgrent",
    "fgetgrent",
    "setgrent",
    "getgrouplist",
    "initgroups",
    "gethostbyname",
    "gethostbyname2",
    "gethostbyaddr",
    "gethostent",
    "getnameinfo",
    "getservbyname",
    "getservbyport",
    "getservent",
    "getprotobyname",
    "getprotobynumber",
    "getprotoent",
    "getnetbyname",
    "getnetbyaddr",
    "getlogin",
    "getpass",
    "ttyname",
    "getmntent",
    // The C++ run-time.
    "cxa_get_globals",
    "cxa_thread_atexit",
    "std::ios_base::sync_with_stdio",
    "std::ios_base::Init::Init",
    "std::locale::classic",
];

/// Functions of libc that hand out blocks and fill caches: what is allocated more than so many
/// frames deep is the cache's. glibc allocates the caller's blocks that close to the surface.
pub(super) const FILLERS: &[(&str, usize)] =
    &[("getaddrinfo", 3), ("iconv_open", 2), ("newlocale", 1)];

/// Rust's own, by the first function that is not on the way to the heap: threads' handles, standard
/// streams, what a backtrace read of debug information.
pub(super) const RUST_KEEPERS: &[&str] = &[
    "std::rt::init",
    "std::io::stdio::",
    "std::thread::main_thread",
    "std::thread::id::",
    "std::thread::current::",
    "std::sys::thread_local::",
    "std::sys::pal::unix::thread::min_stack",
    "std::sys::pal::unix::stack_overflow",
    "std::backtrace_rs::",
];

/// What these allocate is for their caller, who may be one of Rust's keepers or the program.
pub(super) const RUST_HELPERS: &[&str] = &[
    "std::io::buffered::",
    "std::sync::",
    "std::sys::sync::",
    "std::thread::thread::Thread",
    "std::collections::",
    "gimli::",
    "addr2line::",
    "miniz_oxide::",
];
