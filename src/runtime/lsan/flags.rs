//! `LSAN_OPTIONS`: `name=value`, separated by colons, commas or white space; a value may stand in
//! quotation marks.

use std::borrow::ToOwned;
use std::format;
use std::string::String;
use std::vec::Vec;

/// What LeakSanitizer's flags say here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) detect_leaks: bool,
    pub(super) leak_check_at_exit: bool,
    /// `None`: nobody says.
    pub(super) exitcode: Option<u8>,
    pub(super) use_globals: bool,
    pub(super) use_stacks: bool,
    pub(super) use_registers: bool,
    pub(super) use_tls: bool,
    pub(super) use_root_regions: bool,
    pub(super) use_unaligned: bool,
    pub(super) report_objects: bool,
    pub(super) symbolize: bool,
    pub(super) print_suppressions: bool,
    pub(super) max_leaks: usize,
    /// Zero: no limit.
    pub(super) max_allocation_size_mb: usize,
    pub(super) suppressions: String,
    pub(super) log_path: String,
    pub(super) log_exe_name: bool,
    pub(super) strip_path_prefix: String,
    pub(super) help: bool,
}

impl Flags {
    /// LeakSanitizer's defaults.
    pub(super) const DEFAULT: Self = Self {
        detect_leaks: true,
        leak_check_at_exit: true,
        exitcode: None,
        use_globals: true,
        use_stacks: true,
        use_registers: true,
        use_tls: true,
        use_root_regions: true,
        use_unaligned: false,
        report_objects: false,
        symbolize: true,
        print_suppressions: true,
        max_leaks: 0,
        max_allocation_size_mb: 0,
        suppressions: String::new(),
        log_path: String::new(),
        log_exe_name: false,
        strip_path_prefix: String::new(),
        help: false,
    };
}

/// A flag.
struct Row {
    name: &'static str,
    about: &'static str,
    field: Field,
}

/// Where its value goes.
enum Field {
    Switch(fn(&mut Flags) -> &mut bool),
    Text(fn(&mut Flags) -> &mut String),
    Count(fn(&mut Flags) -> &mut usize),
    ExitCode,
}

/// The flags that mean something here.
const TABLE: &[Row] = &[
    switch("detect_leaks", "look for leaks at all", |flags| &mut flags.detect_leaks),
    switch("leak_check_at_exit", "look for leaks at exit", |flags| &mut flags.leak_check_at_exit),
    Row {
        name: "exitcode",
        about: "the exit code of a program that leaked; 0 leaves its own alone",
        field: Field::ExitCode,
    },
    switch("use_globals", "pointers in global variables count", |flags| &mut flags.use_globals),
    switch("use_stacks", "pointers on the stacks of threads count", |flags| &mut flags.use_stacks),
    switch("use_registers", "pointers in registers of threads count", |flags| {
        &mut flags.use_registers
    }),
    switch("use_tls", "pointers in thread-local memory count", |flags| &mut flags.use_tls),
    switch("use_root_regions", "pointers in registered regions count", |flags| {
        &mut flags.use_root_regions
    }),
    switch("use_unaligned", "pointers count at any address", |flags| &mut flags.use_unaligned),
    switch("report_objects", "list the leaked blocks one by one", |flags| {
        &mut flags.report_objects
    }),
    switch("symbolize", "name functions and lines", |flags| &mut flags.symbolize),
    switch("print_suppressions", "name the suppressions that were used", |flags| {
        &mut flags.print_suppressions
    }),
    Row {
        name: "max_leaks",
        about: "how many call stacks to report, the largest first; 0: all",
        field: Field::Count(|flags| &mut flags.max_leaks),
    },
    Row {
        name: "max_allocation_size_mb",
        about: "an allocation of more MiB fails and never ends the program; 0: no limit",
        field: Field::Count(|flags| &mut flags.max_allocation_size_mb),
    },
    text("suppressions", "the path of a file of suppressions", |flags| &mut flags.suppressions),
    text("log_path", "write reports to this path, with the process id added", |flags| {
        &mut flags.log_path
    }),
    switch("log_exe_name", "and with the name of the program", |flags| &mut flags.log_exe_name),
    text("strip_path_prefix", "what to leave out at the beginning of source paths", |flags| {
        &mut flags.strip_path_prefix
    }),
    switch("help", "print this list", |flags| &mut flags.help),
];

/// Flags of LeakSanitizer that have nothing to do here: what they ask for is always so, or is a
/// matter of its own allocator, unwinder or output.
const WITHOUT_MEANING: &[&str] = &[
    "abort_on_error",
    "allocator_may_return_null",
    "allocator_release_to_os_interval_ms",
    "allow_user_segv_handler",
    "color",
    "external_symbolizer_path",
    "fast_unwind_on_malloc",
    "handle_segv",
    "intercept_tls_get_addr",
    "log_pointers",
    "log_threads",
    "log_to_syslog",
    "malloc_context_size",
    "print_module_map",
    "print_summary",
    "resolution",
    "stack_trace_format",
    "symbolize_inline_frames",
    "use_ld_allocations",
    "use_poisoned",
    "verbosity",
];

const fn switch(
    name: &'static str,
    about: &'static str,
    field: fn(&mut Flags) -> &mut bool,
) -> Row {
    Row { name, about, field: Field::Switch(field) }
}

const fn text(
    name: &'static str,
    about: &'static str,
    field: fn(&mut Flags) -> &mut String,
) -> Row {
    Row { name, about, field: Field::Text(field) }
}

impl Flags {
    /// Takes in what a text says; a sentence for each part that makes no sense.
    pub(super) fn read(&mut self, text: &str, on_problem: &mut dyn FnMut(String)) {
        for item in items(text) {
            let Some((name, value)) = item.split_once('=') else {
                on_problem(format!("'{item}' is no flag: write NAME=VALUE"));
                continue;
            };
            match TABLE.iter().find(|row| row.name == name) {
                Some(row) if self.set(row, unquoted(value)).is_none() => {
                    on_problem(format!("'{value}' is no value for {name}"));
                }
                None if !WITHOUT_MEANING.contains(&name) => {
                    on_problem(format!("no flag is called '{name}'"));
                }
                _ => {}
            }
        }
    }

    fn set(&mut self, row: &Row, value: &str) -> Option<()> {
        match row.field {
            Field::Switch(field) => *field(self) = is_on(value)?,
            Field::Text(field) => value.clone_into(field(self)),
            Field::Count(field) => *field(self) = value.parse().ok()?,
            Field::ExitCode => self.exitcode = Some(value.parse().ok()?),
        }
        Some(())
    }

    /// The list that `help=1` asks for.
    pub(super) fn help() -> String {
        let mut help = String::from("Available flags for LeakSanitizer:\n");
        for Row { name, about, .. } in TABLE {
            help.push_str(&format!("\t{name}\n\t\t- {about}\n"));
        }
        help
    }
}

fn is_on(value: &str) -> Option<bool> {
    match value {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// The parts between separators, which do not separate within quotation marks.
fn items(text: &str) -> Vec<String> {
    let (mut items, mut quote) = (Vec::from([String::new()]), None);
    for symbol in text.chars() {
        let is_separator = matches!(symbol, ':' | ',' | ' ' | '\t' | '\n' | '\r');
        match quote {
            None if is_separator => {
                items.push(String::new());
                continue;
            }
            None if matches!(symbol, '\'' | '"') => quote = Some(symbol),
            Some(open) if open == symbol => quote = None,
            _ => {}
        }
        if let Some(item) = items.last_mut() {
            item.push(symbol);
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

/// Without the quotation marks around a value.
fn unquoted(value: &str) -> &str {
    let inner = |mark| value.strip_prefix(mark)?.strip_suffix(mark);
    inner('\'').or_else(|| inner('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Flags, Vec<String>) {
        let (mut flags, mut problems) = (Flags::DEFAULT, Vec::new());
        flags.read(text, &mut |problem| problems.push(problem));
        (flags, problems)
    }

    #[test]
    fn flags_are_read_whatever_separates_them() {
        let (flags, problems) = read(
            "use_stacks=0:use_registers=false, exitcode=7\nsuppressions='/a:b, c.supp':max_leaks=3:\
             log_path=\"/tmp/x y\":verbosity=2::help=1",
        );
        assert_eq!(problems, Vec::<String>::new());
        let expected = Flags {
            use_stacks: false,
            use_registers: false,
            exitcode: Some(7),
            suppressions: "/a:b, c.supp".into(),
            max_leaks: 3,
            log_path: "/tmp/x y".into(),
            help: true,
            ..Flags::DEFAULT
        };
        assert_eq!(flags, expected);
        assert!(Flags::help().contains("\tuse_tls\n"));
    }

    #[test]
    fn what_makes_no_sense_is_named_and_changes_nothing() {
        let (flags, problems) = read("use_stack=0:use_tls=maybe:exitcode=256:leaks");
        assert_eq!(flags, Flags::DEFAULT);
        assert_eq!(
            problems,
            [
                "no flag is called 'use_stack'",
                "'maybe' is no value for use_tls",
                "'256' is no value for exitcode",
                "'leaks' is no flag: write NAME=VALUE",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z_=0-9:, '\"]{0,60}") {
            read(&text);
        }
    }
}
